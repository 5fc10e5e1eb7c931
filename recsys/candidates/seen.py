"""What each user has taken: the flat histories, and beside them items that train does not know but that have a vector now."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recsys.core.files import read_array
from recsys.index.filters import Ints, SeenItems


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenByUser:
    """Of all users.

    Attributes:
        item_idx: Every history, flat.
        offsets: Where each user's history starts, shape (U + 1,).
        beside: Shape (N, 2), who took which item that is in no history, sorted; None if nobody did.
    """

    item_idx: Ints
    offsets: Ints
    beside: NDArray[np.int64] | None = None

    def of(self, user_idx: NDArray[np.int64]) -> SeenItems:
        """What some users have taken."""
        own = SeenItems(item_idx=self.item_idx, starts=self.offsets[user_idx], ends=self.offsets[user_idx + 1])
        if self.beside is None:
            return own
        starts, ends = (np.searchsorted(self.beside[:, 0], user_idx, side=side) for side in ("left", "right"))
        if not (ends > starts).any():
            return own
        beside = SeenItems(item_idx=self.beside[:, 1], starts=starts, ends=ends)
        (own_row, own_item), (row, item) = own.pairs(), beside.pairs()
        order = np.concatenate([own_row, row]).argsort(kind="stable")
        counts = own.counts() + beside.counts()
        until = np.cumsum(counts)
        return SeenItems(item_idx=np.concatenate([own_item, item])[order], starts=until - counts, ends=until)


def read_seen(pairs: Path, *, beside: NDArray[np.int64] | None) -> SeenByUser:
    """The histories that the stage `pairs` wrote, and what was taken beside them."""
    return SeenByUser(item_idx=read_array(pairs / "item_idx.npy"), offsets=read_array(pairs / "offsets.npy"), beside=beside)
