"""What each user has taken: the flat histories, and beside them items that train does not know but that have a vector now."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recsys.core.columns import ITEM_ID, ITEM_IDX, USER_IDX
from recsys.core.files import read_array
from recsys.retrieval.filters import Ints, SeenItems


def _none() -> Ints:
    return np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenByUser:
    """Of all users.

    Attributes:
        item_idx: Every history, flat.
        offsets: Where each user's history starts, shape (U + 1,).
        user_beside: Shape (N,), sorted: who took an item that is in no history.
        item_beside: Shape (N,), its idx.
    """

    item_idx: Ints
    offsets: Ints
    user_beside: Ints = field(default_factory=_none)
    item_beside: Ints = field(default_factory=_none)

    def of(self, user_idx: NDArray[np.int64]) -> SeenItems:
        """What some users have taken."""
        own = SeenItems(item_idx=self.item_idx, starts=self.offsets[user_idx], ends=self.offsets[user_idx + 1])
        starts, ends = (np.searchsorted(self.user_beside, user_idx, side=side) for side in ("left", "right"))
        if not (ends > starts).any():
            return own
        beside = SeenItems(item_idx=self.item_beside, starts=starts, ends=ends)
        (own_row, own_item), (row, item) = own.pairs(), beside.pairs()
        order = np.concatenate([own_row, row]).argsort(kind="stable")
        both = np.cumsum(own.counts() + beside.counts())
        return SeenItems(
            item_idx=np.concatenate([own_item, item])[order], starts=both - own.counts() - beside.counts(), ends=both
        )


def read_seen(pairs: Path, *, n_items: int, added_ids: Sequence[str]) -> SeenByUser:
    """Read the histories of a run.

    Args:
        pairs: The folder of the stage `pairs`.
        n_items: Items of train.
        added_ids: Items with a vector that train does not know; their idx follow those of train.
    """
    item_idx, offsets = read_array(pairs / "item_idx.npy"), read_array(pairs / "offsets.npy")
    unknown = pairs / "unknown_events.parquet"
    if not (added_ids and unknown.is_file()):
        return SeenByUser(item_idx=item_idx, offsets=offsets)
    added = pl.DataFrame({ITEM_ID: added_ids}, schema={ITEM_ID: pl.String}).with_row_index(ITEM_IDX, offset=n_items)
    taken = pl.read_parquet(unknown).join(added, on=ITEM_ID).sort(USER_IDX, ITEM_IDX)
    return SeenByUser(
        item_idx=item_idx,
        offsets=offsets,
        user_beside=taken[USER_IDX].to_numpy().astype(np.int64),
        item_beside=taken[ITEM_IDX].to_numpy().astype(np.int64),
    )
