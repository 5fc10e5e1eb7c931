"""pairs: what the towers read, fitted on train only: vocabularies, features, log-Q, and histories as flat arrays."""

from datetime import datetime
from pathlib import Path

import polars as pl

from pipelines.settings.pairs import PairsSettings
from pipelines.stages.stage import Stage, StageRun
from recsys.core.columns import TIMESTAMP, USER_ID
from recsys.data.schema import INTERACTIONS, check_table
from recsys.data.vocabulary import fit_users
from recsys.features.prepared import PairSettings, prepare

_UNKNOWN = "not known: only the gaps between past events are read"


def work(stage: StageRun[PairsSettings]) -> None:
    """Fit everything on train and lay it out as arrays."""
    ingest, split, settings = stage.read("ingest"), stage.read("split"), stage.settings
    train, validation = (pl.read_parquet(split / f"{name}.parquet") for name in ("train", "validation"))
    for name, part in (("train", train), ("validation", validation)):
        check_table(part, INTERACTIONS, name=name)
    facts, users = stage.facts_of("split"), fit_users(train, validation)
    request_times, statement = _request_times(split, users.ids, facts, is_known=settings.request_time == "known")
    prepared = prepare(
        train,
        validation,
        users=users,
        request_times=request_times,
        item_table=pl.read_parquet(ingest / "items.parquet"),
        user_table=pl.read_parquet(ingest / "users.parquet"),
        settings=PairSettings(**settings.model_dump(exclude={"request_time"})),
    )
    prepared.write(stage.folder)
    item_side, user_side = prepared.item_side, prepared.user_side
    stage.facts |= {
        "n_users": len(users),
        "n_items": len(prepared.items),
        "n_train": train.height,
        "n_validation": validation.height,
        "validation_events_unknown_to_train": prepared.n_unknown_validation,
        "has_time": facts["has_time"],
        "request_time": statement,
        "knows_request_time": statement != _UNKNOWN,
        "n_item_categories": len(item_side.category_names),
        "n_user_categories": len(user_side.category_names),
        "item_rows_with_categories_cut": item_side.n_cut,
        "user_rows_with_categories_cut": user_side.n_cut,
        "text_dim": prepared.item_text.shape[1],
        "search_columns": prepared.search_columns,
        "search_dim": prepared.encoder.dim,
    }
    text_dims = f"{prepared.item_text.shape[1]} text dimensions; search by {prepared.encoder.dim} text dimensions"
    stage.say(
        f"{len(users):,} users and {len(prepared.items):,} items; item features: {len(item_side.category_names)} categories "
        f"({len(item_side.number_names)} numbers in ranges), {text_dims}; request time: {statement}"
    )


def _request_times(split: Path, user_ids: pl.Series, facts: dict[str, object], *, is_known: bool) -> tuple[pl.DataFrame, str]:
    """When each user is asked about, in validation and in test, and that in words; of held-out events only times are read."""
    users = pl.DataFrame({USER_ID: user_ids})
    unknown = pl.lit(-1, pl.Int64)
    if not is_known or not facts["has_time"]:
        return users.with_columns(validation_time=unknown, request_time=unknown), _UNKNOWN
    if facts["protocol"] == "temporal":
        moments = [int(datetime.fromisoformat(str(facts[name])).timestamp()) for name in ("validation_start", "cut")]
        known = users.with_columns(validation_time=pl.lit(moments[0], pl.Int64), request_time=pl.lit(moments[1], pl.Int64))
        return known, f"known: the cut, {facts['cut']}"
    for part, name in (("validation", "validation_time"), ("test", "request_time")):
        times = pl.read_parquet(split / f"{part}.parquet", columns=[USER_ID, TIMESTAMP])
        users = users.join(times.select(USER_ID, pl.col(TIMESTAMP).dt.epoch("s").alias(name)), on=USER_ID, how="left")
    n_without = users["request_time"].null_count()
    without = f"; not known for users without one ({n_without:,})" if n_without else ""
    return users, f"known: the time of the user's held-out event{without}"


STAGE = Stage(name="pairs", read=PairsSettings.model_validate, work=work)

if __name__ == "__main__":
    STAGE.main()
