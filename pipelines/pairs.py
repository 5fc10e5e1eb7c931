"""pairs: what the towers read, fitted on train only: vocabularies, features, log-Q, and histories as flat arrays."""

from datetime import datetime
from pathlib import Path

import polars as pl

from pipelines.config import PairsSettings
from pipelines.stage import StageRun, run_stage
from recsys.core.columns import ITEM_ID, ITEM_IDX, TIMESTAMP, USER_ID, USER_IDX
from recsys.core.files import write_array, write_json
from recsys.data.schema import INTERACTIONS, check_table
from recsys.data.vocabulary import Vocabulary, fit_users, fit_vocabulary, write_vocabulary
from recsys.features.attributes import Attributes, fit_attributes
from recsys.features.history import build_histories
from recsys.features.item_text import ALL, encode_search_texts, fit_item_text, search_texts
from recsys.features.sentence_encoder import SentenceEncoder
from recsys.features.text_encoder import TextEncoder, fit_text_encoder
from recsys.sampling.popularity import count_items, log_q

_UNKNOWN = "not known: only the gaps between past events are read"


def work(stage: StageRun[PairsSettings]) -> None:
    """Fit everything on train and lay it out as arrays."""
    ingest, split, settings = stage.read("ingest"), stage.read("split"), stage.settings
    parts = {name: pl.read_parquet(split / f"{name}.parquet") for name in ("train", "validation")}
    for name, part in parts.items():
        check_table(part, INTERACTIONS, name=name)
    facts = stage.facts_of("split")
    users, items = fit_users(parts["train"], parts["validation"]), fit_vocabulary(parts["train"][ITEM_ID])
    write_vocabulary(stage.folder / "users.parquet", users, id_column=USER_ID, idx_column=USER_IDX)
    write_vocabulary(stage.folder / "items.parquet", items, id_column=ITEM_ID, idx_column=ITEM_IDX)
    request_times, statement = _request_times(split, users.ids, facts, is_known=settings.request_time == "known")
    histories, dropped = build_histories(
        parts["train"], parts["validation"], users=users, items=items, request_times=request_times
    )
    histories.write(stage.folder)
    _write_unknown_events(stage.folder, parts["validation"], users=users, items=items)
    counts = count_items(parts["train"], items=items)
    write_array(stage.folder / "item_count.npy", counts)
    write_array(stage.folder / "log_q.npy", log_q(counts))
    item_table = pl.read_parquet(ingest / "items.parquet") if settings.item_attributes else None
    user_table = pl.read_parquet(ingest / "users.parquet") if settings.user_attributes else None
    item_side = fit_attributes(item_table, vocabulary=items, id_column=ITEM_ID)
    user_side = fit_attributes(user_table, vocabulary=users, id_column=USER_ID)
    _write_attributes(stage, "item", item_side)
    _write_attributes(stage, "user", user_side)
    text = fit_item_text(item_table, vocabulary=items, text_dim=settings.text_dim, seed=settings.seed)
    write_array(stage.folder / "item_text.npy", text)
    _write_search_texts(stage, pl.read_parquet(ingest / "items.parquet"), items)
    stage.facts |= dropped | {
        "n_users": len(users),
        "n_items": len(items),
        "n_train": len(parts["train"]),
        "n_validation": len(parts["validation"]),
        "has_time": facts["has_time"],
        "request_time": statement,
        "knows_request_time": statement != _UNKNOWN,
        "n_item_categories": len(item_side.category_names),
        "n_user_categories": len(user_side.category_names),
        "text_dim": text.shape[1],
    }
    text_dims = f"{text.shape[1]} text dimensions; search by {stage.facts['search_dim']} text dimensions"
    stage.say(
        f"{len(users):,} users and {len(items):,} items; item features: {len(item_side.category_names)} categories "
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


def _write_unknown_events(folder: Path, validation: pl.DataFrame, *, users: Vocabulary, items: Vocabulary) -> None:
    """Who took an item before the request that train does not know: if it gets a vector, it is seen all the same."""
    unknown = validation.select(USER_ID, ITEM_ID).unique().filter(~pl.col(ITEM_ID).is_in(items.ids.implode()))
    placed = unknown.join(users.frame(id_column=USER_ID, idx_column=USER_IDX), on=USER_ID)
    placed.select(pl.col(USER_IDX).cast(pl.Int64), ITEM_ID).sort(USER_IDX, ITEM_ID).write_parquet(
        folder / "unknown_events.parquet"
    )


def _write_search_texts(stage: StageRun[PairsSettings], table: pl.DataFrame, items: Vocabulary) -> None:
    """What `search` goes by: an encoder fitted on the texts of train items, and their vectors, of all columns and of each."""
    rows = pl.DataFrame({ITEM_ID: items.ids}).join(table, on=ITEM_ID, how="left", maintain_order="left")
    texts = search_texts(rows)
    encoder: TextEncoder | SentenceEncoder = SentenceEncoder()
    if stage.settings.text_encoder == "words" or not stage.settings.search_dim or not any(texts[ALL]):
        encoder = fit_text_encoder(texts[ALL], dim=stage.settings.search_dim, seed=stage.settings.seed, min_items=1)
    encoder.write(stage.folder / "text_encoder")
    write_array(stage.folder / "search_text.npy", encode_search_texts(encoder, texts))
    stage.facts |= {"search_columns": list(texts), "search_dim": encoder.dim}


def _write_attributes(stage: StageRun[PairsSettings], side: str, attributes: Attributes) -> None:
    write_array(stage.folder / f"{side}_categories.npy", attributes.categories)
    write_array(stage.folder / f"{side}_numbers.npy", attributes.numbers)
    names = {"categories": attributes.category_names, "numbers": attributes.number_names}
    write_json(stage.folder / f"{side}_attributes.json", names)
    stage.facts[f"{side}_rows_with_categories_cut"] = attributes.n_cut


def main() -> None:
    """`python -m pipelines.pairs artifacts/<profile>`."""
    run_stage("pairs", PairsSettings, work)


if __name__ == "__main__":
    main()
