"""Proof that nothing of the held-out parts is in train; it runs in every build and stops it."""

import polars as pl

from recsys.core.columns import ITEM_ID, TIMESTAMP, USER_ID
from recsys.core.errors import LeakageError
from recsys.splits.parts import Split

_KEY = [USER_ID, ITEM_ID, TIMESTAMP]


def check_no_leakage(split: Split, *, n_interactions: int, n_dropped: int = 0) -> None:
    """Check that the parts are disjoint and complete, and ordered in time as the protocol promises.

    Args:
        split: The parts.
        n_interactions: Rows of the log that was split.
        n_dropped: Rows that the protocol drops on purpose.

    Raises:
        LeakageError: An event is in two parts, is lost, or is earlier than what it must follow.
    """
    parts = {"train": split.train, "validation": split.validation, "test": split.test}
    total = sum(part.height for part in parts.values())
    if total != n_interactions - n_dropped:
        raise LeakageError(
            f"split: the parts must hold {n_interactions - n_dropped} interactions, got {total}; report this as a bug"
        )
    for earlier, later in (("train", "validation"), ("train", "test"), ("validation", "test")):
        _check_disjoint(earlier, parts[earlier], later, parts[later])
        _check_order(earlier, parts[earlier], later, parts[later])
    if split.cut is not None:
        for name in ("train", "validation"):
            _check_before(name, parts[name], split)


def _check_disjoint(earlier: str, first: pl.DataFrame, later: str, second: pl.DataFrame) -> None:
    # Rows that are equal in all columns were dropped as duplicates, so a row in two parts is a leak.
    columns = [column for column in first.columns if column in second.columns]
    both = first.join(second.select(columns), on=columns, how="semi", nulls_equal=True)
    if not both.is_empty():
        raise LeakageError(f"{both.height} {later} interactions are in {earlier} too; first: {_name(both)}")


def _check_order(earlier: str, first: pl.DataFrame, later: str, second: pl.DataFrame) -> None:
    latest = first.group_by(USER_ID).agg(pl.col(TIMESTAMP).max().alias("latest"))
    late = second.join(latest, on=USER_ID).filter(pl.col(TIMESTAMP) < pl.col("latest"))
    if not late.is_empty():
        raise LeakageError(
            f"{late.height} {later} interactions are earlier than their user's {earlier} events; first: {_name(late)}"
        )


def _check_before(name: str, part: pl.DataFrame, split: Split) -> None:
    late = part.filter(pl.col(TIMESTAMP) >= split.cut)
    if not late.is_empty():
        raise LeakageError(
            f"{late.height} {name} interactions are later than the cut {split.cut:%Y-%m-%d}; first: {_name(late)}"
        )


def _name(frame: pl.DataFrame) -> str:
    row = frame.select(_KEY).row(0, named=True)
    return f"user '{row[USER_ID]}', item '{row[ITEM_ID]}'"
