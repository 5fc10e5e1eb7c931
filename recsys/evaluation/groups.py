"""Parts of users and of items that are judged apart: how much they do, how popular they are, and what is known of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recsys.core.columns import COUNT, ITEM_ID, TIMESTAMP, USER_ID
from recsys.core.errors import ConfigError
from recsys.data.schema import category_columns, number_columns
from recsys.evaluation.background import most_frequent

_MOST_VALUES = 8
_VALUE = "__value__"
_THIRDS = (1 / 3, 2 / 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Some users, or all users and some items.

    Attributes:
        segment: What divides them, such as `activity`.
        name: Which part it is.
        users: Shape (U,), which of the judged users; all if None.
        items: Shape (I,), which items of the catalogue count as relevant; all if None.
    """

    segment: str
    name: str
    users: NDArray[np.bool_] | None = None
    items: NDArray[np.bool_] | None = None

    @property
    def label(self) -> str:
        """Both names."""
        return f"{self.segment}: {self.name}"


def user_groups(
    users: pl.Series, events: pl.DataFrame, table: pl.DataFrame | None, *, columns: Sequence[str], has_time: bool
) -> list[Group]:
    """Thirds of the judged users by how much they did and how long ago they did it, and one group a value of each column.

    Args:
        users: Shape (U,), ids of the judged users.
        events: user_id, item_id, timestamp before the test.
        table: user_id and attributes; None if nothing is known of users.
        columns: Attributes that divide users.
        has_time: Whether timestamps are times.
    """
    asked = pl.DataFrame({USER_ID: users})
    done = events.group_by(USER_ID).agg(n=pl.len(), last=pl.col(TIMESTAMP).max())
    own = asked.join(done, on=USER_ID, how="left", maintain_order="left")
    parts = _thirds(own["n"].fill_null(0).to_numpy().astype(np.float64), unit=" events")
    found = [Group(segment="activity", name=name, users=mask) for name, mask in parts.items()]
    if has_time:
        ago = own.select((pl.lit(events[TIMESTAMP].max()) - pl.col("last")).dt.total_seconds() / 86_400).to_series()
        parts = _thirds(ago.to_numpy(), unit=" days ago")
        found += [Group(segment="last event", name=name, users=mask) for name, mask in parts.items()]
    for column in columns:
        if table is not None and column in table.columns:
            known = table.select(USER_ID, pl.col(column).alias(_VALUE))
            values = asked.join(known, on=USER_ID, how="left", maintain_order="left")[_VALUE]
            found += [Group(segment=f"{column} of users", name=name, users=mask) for name, mask in _by_value(values).items()]
    return found


def item_groups(catalogue: pl.DataFrame, table: pl.DataFrame | None, *, columns: Sequence[str]) -> list[Group]:
    """The most, less and least popular items with a third of all train events each, and one group a value of each column.

    Args:
        catalogue: item_id and count of train events; its row numbers are item idx.
        table: item_id and attributes; None if nothing is known of items.
        columns: Attributes that divide items.
    """
    counts = catalogue[COUNT].to_numpy()
    order = np.argsort(-counts.astype(np.int64), kind="stable")
    third = np.empty(len(counts), np.int64)
    third[order] = 3 * (np.cumsum(counts[order]) - counts[order]) // max(int(counts.sum()), 1)
    named = zip(("most popular", "less popular", "least popular"), range(3), strict=True)
    found = [
        Group(segment="popularity", name=f"the {(third == part).sum():,} {name} items", items=third == part)
        for name, part in named
    ]
    for column in columns:
        if table is not None and column in table.columns:
            known = table.select(ITEM_ID, pl.col(column).alias(_VALUE))
            values = catalogue.join(known, on=ITEM_ID, how="left", maintain_order="left")[_VALUE]
            found += [Group(segment=f"{column} of items", name=name, items=mask) for name, mask in _by_value(values).items()]
    return found


def check_columns(columns: Sequence[str], tables: Sequence[pl.DataFrame | None]) -> None:
    """Refuse columns that no table has, or that neither name nor count.

    Raises:
        ConfigError: One of them.
    """
    known = [name for table in tables if table is not None for name in [*category_columns(table), *number_columns(table)]]
    for column in columns:
        if column not in known:
            raise ConfigError(
                f"evaluate.segments must name categories or numbers of users or items, got {column!r}; "
                f"there are: {', '.join(known) or 'none'}"
            )


def _thirds(values: NDArray[np.float64], *, unit: str) -> dict[str, NDArray[np.bool_]]:
    """Values below, between and above the thirds; fewer parts where they coincide. What is not known is in none."""
    if np.isnan(values).all():
        return {}
    low, high = (float(np.nanquantile(values, third, method="inverted_cdf")) for third in _THIRDS)
    least, most = (f"{value:,.0f}" if value >= 100 or value.is_integer() else f"{value:.3g}" for value in (low, high))
    parts = {
        f"up to {least}{unit}": values <= low,
        f"more than {least}, up to {most}{unit}": (values > low) & (values <= high),
        f"more than {most}{unit}": values > high,
    }
    return {name: mask for name, mask in parts.items() if mask.any()}


def _by_value(values: pl.Series) -> dict[str, NDArray[np.bool_]]:
    """Who has each of the most frequent categories; of numbers, thirds."""
    if not isinstance(values.dtype, pl.List):
        return _thirds(values.to_numpy().astype(np.float64), unit="")
    common = most_frequent(values.explode(), n=_MOST_VALUES).to_list()
    has = {str(value): values.list.contains(value).fill_null(False).to_numpy() for value in common}
    return {name: mask for name, mask in has.items() if mask.any()}
