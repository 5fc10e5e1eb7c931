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

_MOST_KINDS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """What lists are compared with, beyond what is relevant.

    Attributes:
        taken: user_id, item_idx, count: events before the test, once a user and item, with the item's train events.
        kind: The category column that says what kind an item is of; None where there is none.
        kinds: Shape (I, A), numbers of the kinds of each item, -1 where it has fewer; None likewise.
    """

    taken: pl.DataFrame
    kind: str | None
    kinds: NDArray[np.int32] | None

    def metrics(
        self, item_idx: NDArray[np.int32], users: pl.Series, counts: NDArray[np.integer], *, ks: Sequence[int]
    ) -> dict[str, Values]:
        """Popularity, diversity and calibration of some lists.

        Args:
            item_idx: Shape (U, K), -1 where a list is short.
            users: Shape (U,), their ids.
            counts: Shape (I,), train events of each item.
            ks: List lengths.

        Returns:
            By name, shape (U, len(ks)) each.
        """
        own = self.taken.join(pl.DataFrame({USER_ID: users}).with_row_index("row"), on=USER_ID)
        row, n = own["row"].to_numpy(), len(users)
        mean = np.bincount(row, own[COUNT].to_numpy(), minlength=n) / np.maximum(np.bincount(row, minlength=n), 1)
        found = {"popularity_lift": popularity_lift(item_idx, counts, mean, ks=ks)}
        if self.kinds is not None:
            taste = kind_shares(row, own[ITEM_IDX].to_numpy(), self.kinds, n_rows=n)
            found["intra_list_distance"] = intra_list_distance(item_idx, self.kinds, ks=ks)
            found["miscalibration"] = miscalibration(item_idx, self.kinds, taste, ks=ks)
        return found


def build_background(events: pl.DataFrame, catalogue: pl.DataFrame, items: pl.DataFrame | None) -> Background:
    """What is known without the test.

    Args:
        events: user_id and item_id of train and validation.
        catalogue: item_id and count of train events; its row numbers are item idx.
        items: item_id and attributes; None if nothing is known of them.
    """
    numbered = catalogue.with_row_index(ITEM_IDX)
    taken = events.select(USER_ID, ITEM_ID).unique().join(numbered, on=ITEM_ID).select(USER_ID, ITEM_IDX, COUNT)
    kind = None if items is None else choose_kind(items)
    if kind is None or items is None:
        return Background(taken=taken, kind=None, kinds=None)
    named = numbered.join(items.select(ITEM_ID, kind), on=ITEM_ID).select(ITEM_IDX, kind).explode(kind).drop_nulls().unique()
    common = named[kind].value_counts(sort=True)[kind].head(_MOST_KINDS - 1).sort()
    number = pl.DataFrame({kind: common}).with_row_index("kind")
    others = pl.lit(len(common), pl.UInt32)  # what is rarer is one kind
    rows = (
        named.join(number, on=kind, how="left")
        .select(ITEM_IDX, pl.col("kind").fill_null(others))
        .unique()
        .sort(ITEM_IDX, "kind")
    )
    column = rows.select(pl.int_range(pl.len()).over(ITEM_IDX)).to_series().to_numpy()
    kinds = np.full((catalogue.height, int(column.max(initial=0)) + 1), -1, np.int32)
    kinds[rows[ITEM_IDX].to_numpy(), column] = rows["kind"].to_numpy()
    return Background(taken=taken, kind=kind, kinds=kinds)


def choose_kind(items: pl.DataFrame) -> str | None:
    """The category column that says most: known of most items, and of these the one with fewest values; at least two.

    Args:
        items: item_id and attributes.

    >>> choose_kind(pl.DataFrame({"item_id": ["a", "b"], "brand": [["x"], []], "genre": [["y"], ["z"]]}))
    'genre'
    """
    known = {name: items[name].list.len().fill_null(0).gt(0).sum() for name in category_columns(items)}
    n_values = {name: items[name].explode().drop_nulls().n_unique() for name in known}
    found = [(-known[name], n_values[name], name) for name in known if n_values[name] > 1]
    return min(found)[2] if found else None
