"""split: the clean log to `train.parquet`, `validation.parquet`, `test.parquet`, with proof that nothing leaks."""

from datetime import datetime

import polars as pl

from pipelines.settings.split import SplitSettings
from pipelines.stages.stage import Stage, StageRun
from recsys.core.columns import ITEM_ID
from recsys.core.errors import DataError
from recsys.core.random import rng_for
from recsys.data.facts import IngestFacts
from recsys.data.schema import INTERACTIONS, check_table
from recsys.splits.cold_items import withhold_items
from recsys.splits.facts import SplitFacts
from recsys.splits.leakage import check_no_leakage
from recsys.splits.leave_last_out import split_leave_last_out
from recsys.splits.parts import Split
from recsys.splits.temporal import split_temporal


def work(stage: StageRun[SplitSettings]) -> SplitFacts:
    """Cut the log by one protocol and check the cut."""
    log = pl.read_parquet(stage.read("ingest") / "interactions.parquet")
    check_table(log, INTERACTIONS, name="interactions")
    ingest = stage.facts_of("ingest", IngestFacts)
    if stage.settings.protocol == "temporal" and not ingest.has_time:
        raise DataError(
            "split: the temporal protocol needs times, got histories whose order is all that is known; "
            'set [split] protocol = "leave_last_out"'
        )
    end = None if ingest.end is None else datetime.fromisoformat(ingest.end)
    split, cold = _split(log, stage.settings, by_moment=ingest.ties == "sets", end=end), pl.Series([], dtype=pl.String)
    if stage.settings.cold_share:
        rng = rng_for(stage.settings.cold_seed, "cold items")
        split, cold = withhold_items(split, share=stage.settings.cold_share, rng=rng)
    check_no_leakage(split, n_interactions=log.height, n_dropped=split.n_dropped)
    parts = {"train": split.train, "validation": split.validation, "test": split.test}
    for name, part in parts.items():
        part.write_parquet(stage.folder / f"{name}.parquet")
    pl.DataFrame({ITEM_ID: cold}).write_parquet(stage.folder / "cold_items.parquet")
    rows = ", ".join(f"{part.height:,} {name}" for name, part in parts.items())
    withheld = f"; {len(cold):,} items withheld wholly" if len(cold) else ""
    cut = "" if split.cut is None else f"; cut: {split.cut:%Y-%m-%d %H:%M:%S}"
    stage.say(f"{split.protocol}: {rows}{cut}{withheld}; nothing leaks")
    return split.facts()


def _split(log: pl.DataFrame, settings: SplitSettings, *, by_moment: bool, end: datetime | None) -> Split:
    match settings.protocol:
        case "leave_last_out":
            return split_leave_last_out(log, validation=settings.validation, by_moment=by_moment)
        case "temporal":
            return split_temporal(
                log,
                validation_share=settings.validation_share,
                test_share=settings.test_share,
                validation_days=settings.validation_days,
                test_days=settings.test_days,
                end=end,
            )


STAGE = Stage(name="split", read=SplitSettings.model_validate, work=work)

if __name__ == "__main__":
    STAGE.main()
