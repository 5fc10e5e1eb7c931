"""What is known without the test: what users took, and what kinds items are of."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recsys.core.columns import COUNT, ITEM_ID, ITEM_IDX, USER_ID
from recsys.data.schema import category_columns
from recsys.metrics.catalogue import popularity_lift
from recsys.metrics.kinds import intra_list_distance, kind_shares, miscalibration
from recsys.metrics.relevance import Values

_MOST_KINDS, _NEARLY, _MOST_OF_ALL = 200, 0.95, 0.8
_KIND, _NUMBER = "__kind__", "__number__"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taste:
    """What some users took, as lists for them are compared with it.

    Attributes:
        mean_count: Shape (U,), mean train events of the items that each of them took.
        kinds: Shape (I, A), numbers of the kinds of each item, -1 where it has fewer; None where kinds are not known.
        shares: Shape (U, C), the share of each kind in what each of them took; None likewise.
    """

    mean_count: Values
    kinds: NDArray[np.int32] | None
    shares: Values | None

    def metrics(self, item_idx: NDArray[np.int32], counts: NDArray[np.integer], *, ks: Sequence[int]) -> dict[str, Values]:
        """Popularity, diversity and calibration of lists for these users.

        Args:
            item_idx: Shape (U, K), -1 where a list is short.
            counts: Shape (I,), train events of each item.
            ks: List lengths.

        Returns:
            By name, shape (U, len(ks)) each.
        """
        found = {"popularity_lift": popularity_lift(item_idx, counts, self.mean_count, ks=ks)}
        if self.kinds is not None and self.shares is not None:
            found["intra_list_distance"] = intra_list_distance(item_idx, self.kinds, ks=ks)
            found["miscalibration"] = miscalibration(item_idx, self.kinds, self.shares, ks=ks)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """What is known beyond what is relevant.

    Attributes:
        taken: user_id, item_idx, count: events before the test, once a user and item, with the item's train events.
        kind: The category column that says what kind an item is of; None where there is none.
        kinds: Shape (I, A), as `Taste` has them; None likewise.
    """

    taken: pl.DataFrame
    kind: str | None
    kinds: NDArray[np.int32] | None

    def of_users(self, users: pl.Series) -> Taste:
        """What some users took.

        Args:
            users: Shape (U,), their ids.
        """
        own = self.taken.join(pl.DataFrame({USER_ID: users}).with_row_index("row"), on=USER_ID)
        row, n = own["row"].to_numpy(), len(users)
        mean = np.bincount(row, own[COUNT].to_numpy(), minlength=n) / np.maximum(np.bincount(row, minlength=n), 1)
        shares = None if self.kinds is None else kind_shares(row, own[ITEM_IDX].to_numpy(), self.kinds, n_rows=n)
        return Taste(mean_count=np.asarray(mean, np.float64), kinds=self.kinds, shares=shares)


def build_background(events: pl.DataFrame, catalogue: pl.DataFrame, items: pl.DataFrame | None) -> Background:
    """What is known without the test.

    Args:
        events: user_id and item_id of train and validation.
        catalogue: item_id and count of train events; its row numbers are item idx.
        items: item_id and attributes; None if nothing is known of them.
    """
    numbered = catalogue.with_row_index(ITEM_IDX)
    taken = events.select(USER_ID, ITEM_ID).unique().join(numbered, on=ITEM_ID).select(USER_ID, ITEM_IDX, COUNT)
    known = None if items is None else items.join(catalogue, on=ITEM_ID, how="semi")
    kind = None if known is None else choose_kind(known)
    if kind is None or known is None:
        return Background(taken=taken, kind=None, kinds=None)
    named = known.select(ITEM_ID, pl.col(kind).alias(_KIND)).explode(_KIND).drop_nulls().unique()
    common = pl.DataFrame({_KIND: most_frequent(named[_KIND], n=_MOST_KINDS)}).with_row_index(_NUMBER)
    rows = named.join(common, on=_KIND).join(numbered.select(ITEM_ID, ITEM_IDX), on=ITEM_ID).sort(ITEM_IDX, _NUMBER)
    column = rows.select(pl.int_range(pl.len()).over(ITEM_IDX)).to_series().to_numpy()
    kinds = np.full((catalogue.height, int(column.max(initial=0)) + 1), -1, np.int32)
    kinds[rows[ITEM_IDX].to_numpy(), column] = rows[_NUMBER].to_numpy()
    return Background(taken=taken, kind=kind, kinds=kinds)


def most_frequent(values: pl.Series, *, n: int) -> pl.Series:
    """The values that are there most often, equal ones by their order.

    Args:
        values: Any; nulls are left out.
        n: How many.

    >>> most_frequent(pl.Series(["b", "a", "c", "c", None]), n=2).to_list()
    ['c', 'a']
    """
    counted = values.drop_nulls().alias(_KIND).to_frame().group_by(_KIND).len(name=_NUMBER)
    return counted.sort(_NUMBER, _KIND, descending=[True, False]).head(n)[_KIND]


def choose_kind(items: pl.DataFrame) -> str | None:
    """The category column that says what kind an item is of.

    Of those known of nearly as many items as any, the one with fewest values, at least two; none where the 200 most frequent
    values leave out more than a fifth of what is known.

    Args:
        items: item_id and attributes.

    >>> choose_kind(pl.DataFrame({"item_id": ["a", "b"], "brand": [["x"], []], "genre": [["y"], ["z"]]}))
    'genre'
    """
    columns = category_columns(items)
    known = {name: int(items[name].list.len().fill_null(0).gt(0).sum()) for name in columns}
    values = {name: items[name].explode().drop_nulls() for name in columns if known[name] >= _NEARLY * max(known.values())}
    found = [(own.n_unique(), name) for name, own in values.items() if own.n_unique() > 1]
    if not found:
        return None
    _, name = min(found)
    common = most_frequent(values[name], n=_MOST_KINDS)
    n_covered = int(values[name].is_in(common.implode()).sum())
    return name if n_covered >= _MOST_OF_ALL * len(values[name]) else None
