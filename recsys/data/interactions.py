"""Cleaning: the one place where rows of a log are refused or dropped, each with a reason."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from recsys.core.columns import ITEM_ID, TIMESTAMP, USER_ID
from recsys.core.errors import DataError, SchemaError
from recsys.data.scan import collect_source
from recsys.data.schema import INTERACTIONS, check_table
from recsys.data.ties import Order, TieOrder, Ties, choose_order, examine_order, sort_events

_LATEST = pl.datetime(2100, 1, 1, time_zone="UTC", time_unit="us")
_EARLIEST = pl.datetime(1970, 1, 1, time_zone="UTC", time_unit="us")
_AS_READ = "timestamp_as_read"
_ROW = "__row__"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaning:
    """A clean log and what it cost.

    Attributes:
        interactions: Sorted by user and time.
        dropped: Rows dropped, by reason.
        rows_in: Rows that were read.
        ties: In which order a user's events with equal times stand.
        tie_order: What their order in the file shows.
        end: The moment before which the log ends, where its last days are left out; else None.
    """

    interactions: pl.DataFrame
    dropped: dict[str, int]
    rows_in: int
    ties: Order
    tie_order: TieOrder
    end: datetime | None = None


def clean_interactions(
    log: pl.LazyFrame,
    *,
    min_user_interactions: int,
    min_item_interactions: int,
    missing_ids: str,
    ties: Ties = "auto",
    seed: int = 0,
    days_left_out: float = 0.0,
) -> Cleaning:
    """Drop blank rows, exact duplicates, rows without ids, and users and items under their minimum (until both hold).

    Args:
        log: user_id, item_id, timestamp and what else there is, in file order.
        min_user_interactions: Users with fewer events go.
        min_item_interactions: Items with fewer events go.
        missing_ids: `stop` refuses rows without a user or item, `drop` drops them.
        ties: In which order a user's events with equal times stand, see `choose_order` and `sort_events`.
        seed: Of that order, where it is drawn.
        days_left_out: Days before the last event whose events are left out, before anything else looks at them.

    Raises:
        SchemaError: A column is missing, or a time cannot be read.
        SourceError: A row cannot be read.
        DataError: No rows, a null id under `stop`, a time before 1970 or after 2100, or nothing left.
    """
    check_table(log, INTERACTIONS, name="interactions")
    frame = collect_source(log.with_row_index(_ROW), name="interactions")
    if frame.is_empty():
        raise DataError("interactions: the log must hold rows, got none; export it again")
    rows_in, dropped = frame.height, {}
    frame = frame.filter(~pl.all_horizontal(pl.exclude(_ROW).is_null()))
    dropped["blank"] = rows_in - frame.height
    if frame.is_empty():
        raise DataError("interactions: the log must hold rows, got blank ones only; export it again")
    is_missing = pl.any_horizontal(pl.col(USER_ID, ITEM_ID).is_null() | (pl.col(USER_ID, ITEM_ID) == ""))
    if missing_ids == "stop":
        _refuse_missing_ids(frame, is_missing)
    complete = frame.filter(~is_missing)
    dropped["missing_id"], frame = frame.height - complete.height, complete
    _refuse_bad_times(frame)
    frame = frame.drop(_AS_READ, strict=False)
    distinct = frame.unique([name for name in frame.columns if name != _ROW], keep="first", maintain_order=True)
    dropped["duplicate"] = frame.height - distinct.height
    end = None
    if days_left_out:
        end = pl.select(pl.lit(distinct[TIMESTAMP].max()) - timedelta(days=days_left_out)).item()
        known = distinct.filter(pl.col(TIMESTAMP) < end)
        dropped["after_the_end"], distinct = distinct.height - known.height, known
        if distinct.is_empty():
            raise DataError(f"interactions: some events must be older than {days_left_out:g} days, got none; leave out fewer")
    kept = _keep_frequent(distinct, min_user_interactions, min_item_interactions)
    dropped["under_minimum"] = distinct.height - kept.height
    if kept.is_empty():
        raise DataError(
            f"interactions: some user must have {min_user_interactions} events on items with {min_item_interactions} events, "
            f"got none among {rows_in} rows; lower [ingest] min_user_interactions or min_item_interactions"
        )
    if kept[ITEM_ID].n_unique() < 2:
        raise DataError("interactions: at least 2 different items are needed, got 1; there is nothing to rank")
    log_in_file = kept.drop(_ROW)
    found = examine_order(log_in_file)
    order = choose_order(ties, found)
    ordered = sort_events(log_in_file, ties=order, seed=seed)
    return Cleaning(interactions=ordered, dropped=dropped, rows_in=rows_in, ties=order, tie_order=found, end=end)


def _refuse_missing_ids(frame: pl.DataFrame, is_missing: pl.Expr) -> None:
    missing = frame.filter(is_missing)
    if not missing.is_empty():
        raise DataError(
            f"interactions: user_id and item_id must not be null, got {missing.height} such rows, first at row "
            f'{missing[_ROW][0] + 1}; mend the log or drop them with [ingest] missing_ids = "drop"'
        )


def _refuse_bad_times(frame: pl.DataFrame) -> None:
    as_read = pl.col(_AS_READ) if _AS_READ in frame.columns else pl.col(TIMESTAMP).cast(pl.Int64).cast(pl.String)
    frame = frame.with_columns(as_read.alias(_AS_READ))
    is_number = pl.col(_AS_READ).str.contains(r"^(-\d+|\d{13,})(\.\d*)?$|^-?\d+(\.\d*)?e\+?\d+$").fill_null(False)
    unread = frame.filter(pl.col(TIMESTAMP).is_null() & ~is_number)
    if not unread.is_empty():
        raise SchemaError(
            f"interactions: column 'timestamp' must be Datetime(UTC) or integer seconds, got {unread[_AS_READ][0]!r} "
            f"at row {unread[_ROW][0] + 1} ({unread.height} such rows); name its format in [ingest] timestamp_format"
        )
    is_allowed = pl.col(TIMESTAMP).is_between(_EARLIEST, _LATEST, closed="left").fill_null(False)
    absurd = frame.filter(~is_allowed)
    if not absurd.is_empty():
        raise DataError(
            f"interactions: timestamp must lie between 1970 and 2100, got {absurd[_AS_READ][0]} at row {absurd[_ROW][0] + 1} "
            f"({absurd.height} such rows); check the column and its unit in [ingest] timestamp_unit"
        )


def _keep_frequent(frame: pl.DataFrame, min_user: int, min_item: int) -> pl.DataFrame:
    while True:
        kept = frame.filter((pl.len().over(USER_ID) >= min_user) & (pl.len().over(ITEM_ID) >= min_item))
        if kept.height == frame.height:
            return kept
        frame = kept
