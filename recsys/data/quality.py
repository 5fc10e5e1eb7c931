"""What a clean log looks like in numbers, for `quality.json`."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

import polars as pl

from recsys.core.columns import ITEM_ID, TIMESTAMP, USER_ID
from recsys.data.interactions import Cleaning


def describe_quality(cleaning: Cleaning, *, has_time: bool) -> dict[str, Any]:
    """Counts, drops by reason, ties of timestamps and their order, sparsity, and the spread of history lengths.

    Args:
        cleaning: The clean log and what was dropped.
        has_time: Whether timestamps are times, or the order only.

    Returns:
        A dictionary that is JSON.
    """
    log = cleaning.interactions
    n_users, n_items = log[USER_ID].n_unique(), log[ITEM_ID].n_unique()
    lengths = log.group_by(USER_ID).len()["len"]
    return {
        "rows_in": cleaning.rows_in,
        "rows_out": log.height,
        "dropped": cleaning.dropped,
        "n_users": n_users,
        "n_items": n_items,
        "sparsity": 1 - log.select(USER_ID, ITEM_ID).n_unique() / (n_users * n_items),
        "repeated_pairs": log.height - log.select(USER_ID, ITEM_ID).n_unique(),
        "tied_timestamps": count_ties(log),
        "ties": cleaning.ties,
        "tie_order": asdict(cleaning.tie_order) | {"is_sorted": cleaning.tie_order.is_sorted},
        "has_time": has_time,
        "first_time": _in_words(log[TIMESTAMP].min()) if has_time else None,
        "last_time": _in_words(log[TIMESTAMP].max()) if has_time else None,
        "history_length": {
            "min": lengths.min(),
            "median": lengths.median(),
            "p90": lengths.quantile(0.9),
            "max": lengths.max(),
        },
    }


def count_ties(log: pl.DataFrame) -> int:
    """How many events share their user's previous timestamp."""
    return int(log.select((pl.col(TIMESTAMP).diff().over(USER_ID) == pl.duration()).sum()).item() or 0)


def _in_words(moment: object) -> str | None:
    return moment.isoformat() if isinstance(moment, datetime) else None
