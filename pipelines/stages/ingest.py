"""ingest: raw files to clean tables: `interactions.parquet`, `items.parquet`, `users.parquet`, `quality.json`."""

import os
from functools import partial
from pathlib import Path

import polars as pl

from pipelines.settings.ingest import IngestSettings
from pipelines.stages.stage import Stage, StageRun
from recsys.core.columns import ITEM_ID, USER_ID
from recsys.core.errors import ConfigError, SourceError
from recsys.core.files import write_json
from recsys.data.amazon import AmazonSet, locate_amazon
from recsys.data.facts import IngestFacts
from recsys.data.files import AttributeColumns, read_own_files
from recsys.data.interactions import clean_interactions
from recsys.data.movielens import MovieLensSet, locate_movielens, read_movielens
from recsys.data.quality import describe_quality
from recsys.data.s3rec import read_s3rec
from recsys.data.scan import TextFormat
from recsys.data.schema import RawTables, check_sides
from recsys.data.synthetic import build_shop, build_synthetic
from recsys.data.ties import describe_order


def work(stage: StageRun[IngestSettings]) -> IngestFacts:
    """Read a source, clean it, and describe what came out."""
    settings = stage.settings
    raw = _read(stage)
    if settings.days_left_out and not raw.has_time:
        raise ConfigError("ingest.days_left_out must be 0 where the log has no times, got an order of rows alone; leave it out")
    if raw.licence:
        stage.say(f"terms of the data: {raw.licence}")
    cleaning = clean_interactions(
        raw.interactions,
        min_user_interactions=settings.min_user_interactions,
        min_item_interactions=settings.min_item_interactions,
        missing_ids=settings.missing_ids,
        ties=settings.ties,
        seed=settings.seed,
        days_left_out=settings.days_left_out,
    )
    log = cleaning.interactions
    check_sides(log, raw)
    log.write_parquet(stage.folder / "interactions.parquet")
    without_attributes, without_events = dict[str, int](), dict[str, int]()
    for name, table, key in (("items", raw.items, ITEM_ID), ("users", raw.users, USER_ID)):
        known = log.select(key).unique()
        own = pl.DataFrame(schema=known.schema) if table is None else table
        # Items that nobody took can still be searched for, and recommended by their texts; such users ask for nothing.
        full = known.join(own, on=key, how="full" if key == ITEM_ID else "left", coalesce=True).sort(key)
        full.write_parquet(stage.folder / f"{name}.parquet")
        without_attributes[name] = known.join(own, on=key, how="anti").height
        without_events[name] = full.height - known.height
    quality = describe_quality(cleaning, has_time=raw.has_time)
    write_json(stage.folder / "quality.json", quality)
    dropped = ", ".join(f"{count:,} {reason}" for reason, count in cleaning.dropped.items() if count) or "none"
    stage.say(
        f"{log.height:,} interactions, {quality['n_users']:,} users, {quality['n_items']:,} items; dropped: {dropped}; "
        f"{quality['tied_timestamps']:,} events share their user's previous time, and stand "
        f"{describe_order(cleaning.ties, seed=settings.seed)}"
    )
    return IngestFacts(
        n_events=log.height,
        n_users=quality["n_users"],
        n_items=quality["n_items"],
        has_time=raw.has_time,
        n_tied_events=quality["tied_timestamps"],
        ties=cleaning.ties,
        tie_fixed_share=cleaning.tie_order.fixed,
        tie_ascending_share=cleaning.tie_order.ascending,
        is_tie_order_sorted=cleaning.tie_order.is_sorted,
        ties_seed=settings.seed,
        items_without_attributes=without_attributes["items"],
        items_without_events=without_events["items"],
        users_without_attributes=without_attributes["users"],
        end=None if cleaning.end is None else cleaning.end.isoformat(),
        source_files=dict(raw.files),
        licence=raw.licence,
    )


def _read(stage: StageRun[IngestSettings]) -> RawTables:
    settings = stage.settings
    match settings.source:
        case "movielens-100k":
            return _read_movielens("ml-100k", stage)
        case "movielens-1m":
            return _read_movielens("ml-1m", stage)
        case "amazon-beauty" | "amazon-sports":
            return _read_amazon(settings.source, stage)
        case "s3rec":
            return read_s3rec(interactions=settings.interactions or "", attributes=settings.items)
        case "synthetic":
            counts = {"n_users": settings.n_users, "n_items": settings.n_items, "n_topics": settings.n_topics}
            world = partial(build_shop, basket_size=settings.basket_size) if settings.basket_size > 1 else build_synthetic
            return world(seed=settings.seed, **counts)
        case "files":
            return _read_own(settings)


def _read_movielens(name: MovieLensSet, stage: StageRun[IngestSettings]) -> RawTables:
    data_dir = _data_dir()
    with stage.progress(f"fetching {name}", None) as show:
        files = locate_movielens(
            name,
            data_dir=data_dir,
            raw=stage.run.parent / "raw" / name,
            on_progress=lambda done, total: show(done, f"{done / 1e6:.1f} of {total / 1e6:.1f} MB"),
        )
    return read_movielens(name, files)


def _read_amazon(name: AmazonSet, stage: StageRun[IngestSettings]) -> RawTables:
    data_dir = _data_dir()
    with stage.progress(f"fetching {name}", None) as show:
        log, attributes = locate_amazon(
            name,
            data_dir=data_dir,
            raw=stage.run.parent / "raw" / name,
            on_progress=lambda done, total: show(done, f"{done / 1e6:.1f} of {total / 1e6:.1f} MB"),
        )
    return read_s3rec(interactions=str(log), attributes=str(attributes))


def _data_dir() -> Path | None:
    chosen = os.environ.get("RECSYS_DATA_DIR")
    if chosen and not Path(chosen).is_dir():
        raise SourceError(f"RECSYS_DATA_DIR must be a folder, got {chosen}; correct or unset it")
    return Path(chosen) if chosen else None


def _read_own(settings: IngestSettings) -> RawTables:
    def cut(header: list[str] | None) -> TextFormat:
        return TextFormat(separator=settings.separator, header=header)

    return read_own_files(
        interactions=settings.interactions or "",
        items=settings.items,
        users=settings.users,
        columns={str(ours): theirs for ours, theirs in settings.columns.items()},
        text_format=cut(settings.header),
        item_format=cut(settings.items_header),
        user_format=cut(settings.users_header),
        item_attributes=AttributeColumns(
            text=settings.item_text,
            categories=settings.item_categories,
            numbers=settings.item_numbers,
            times=settings.item_times,
        ),
        user_attributes=AttributeColumns(categories=settings.user_categories, numbers=settings.user_numbers),
        category_separator=settings.category_separator,
        timestamp_unit=settings.timestamp_unit,
        timestamp_format=settings.timestamp_format,
    )


STAGE = Stage(name="ingest", read=IngestSettings.model_validate, work=work)

if __name__ == "__main__":
    STAGE.main()
