"""pairs: what the towers read, fitted on train only: vocabularies, features, log-Q, and histories as flat arrays."""

from datetime import datetime
from pathlib import Path

import polars as pl

from pipelines.settings.pairs import PairsSettings
from pipelines.stages.stage import Stage, StageRun
from recsys.core.columns import TIMESTAMP, USER_ID
from recsys.data.facts import IngestFacts
from recsys.data.schema import INTERACTIONS, check_table
from recsys.data.vocabulary import fit_users
from recsys.features.facts import PairsFacts, RequestTime
from recsys.features.prepared import PairSettings, prepare
from recsys.splits.facts import SplitFacts


def work(stage: StageRun[PairsSettings]) -> PairsFacts:
    """Fit everything on train and lay it out as arrays."""
    ingest, split, settings = stage.read("ingest"), stage.read("split"), stage.settings
    train, validation = (pl.read_parquet(split / f"{name}.parquet") for name in ("train", "validation"))
    for name, part in (("train", train), ("validation", validation)):
        check_table(part, INTERACTIONS, name=name)
    log, users = stage.facts_of("ingest", IngestFacts), fit_users(train, validation)
    is_known = settings.request_time == "known" and log.has_time
    request_times, request_time = _request_times(split, users.ids, stage.facts_of("split", SplitFacts), is_known=is_known)
    prepared = prepare(
        train,
        validation,
        users=users,
        request_times=request_times,
        are_sets=log.ties == "sets",
        item_table=pl.read_parquet(ingest / "items.parquet"),
        user_table=pl.read_parquet(ingest / "users.parquet"),
        settings=PairSettings(**settings.model_dump(exclude={"request_time"})),
    )
    prepared.write(stage.folder)
    facts = prepared.facts(
        n_train=train.height,
        n_validation=validation.height,
        has_time=log.has_time,
        request_time=request_time,
        asked=request_times,
    )
    stage.say(
        f"{facts.n_users:,} users and {facts.n_items:,} items; item features: {facts.n_item_categories} categories "
        f"({len(prepared.item_side.number_names)} numbers in ranges), {facts.text_dim} text dimensions; search by "
        f"{facts.search_dim} text dimensions; request time: {request_time.replace('_', ' ')}"
    )
    return facts


def _request_times(split: Path, user_ids: pl.Series, facts: SplitFacts, *, is_known: bool) -> tuple[pl.DataFrame, RequestTime]:
    """When each user is asked about, in validation and in test; of held-out events only times are read."""
    users = pl.DataFrame({USER_ID: user_ids})
    if not is_known:
        unknown = pl.lit(-1, pl.Int64)
        return users.with_columns(validation_time=unknown, request_time=unknown), "unknown"
    if facts.validation_start is not None and facts.cut is not None:
        moments = [int(datetime.fromisoformat(moment).timestamp()) for moment in (facts.validation_start, facts.cut)]
        known = users.with_columns(validation_time=pl.lit(moments[0], pl.Int64), request_time=pl.lit(moments[1], pl.Int64))
        return known, "cut"
    for part, name in (("validation", "validation_time"), ("test", "request_time")):
        times = pl.read_parquet(split / f"{part}.parquet", columns=[USER_ID, TIMESTAMP])
        times = times.unique(USER_ID, keep="first", maintain_order=True)
        users = users.join(times.select(USER_ID, pl.col(TIMESTAMP).dt.epoch("s").alias(name)), on=USER_ID, how="left")
    return users, "held_out_event"


STAGE = Stage(name="pairs", read=PairsSettings.model_validate, work=work)

if __name__ == "__main__":
    STAGE.main()
