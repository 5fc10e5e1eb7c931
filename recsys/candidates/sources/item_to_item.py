"""The items nearest to those that the user took last."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.candidates.fusion import fuse
from recsys.candidates.sources.source import Opened
from recsys.index.filters import SeenItems
from recsys.index.nearest import Nearest, Neighbours, Vectors

_LAST_ITEMS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemToItemSource:
    """The items nearest to each of the last three items of the user, fused."""

    index: Nearest
    items: Vectors

    def find(
        self,
        user_idx: NDArray[np.int64],
        *,
        k: int,
        seen: SeenItems,
        allowed: NDArray[np.bool_] | None,
        keeps_seen: bool = False,
    ) -> Neighbours:
        """See `Source.find`. A user without items gets an empty list."""
        lists = []
        for back in range(1, _LAST_ITEMS + 1):
            answer = Neighbours.empty(len(user_idx), k)
            rows = np.flatnonzero(seen.counts() >= back)
            if len(rows):
                last = np.asarray(seen.item_idx[np.asarray(seen.ends)[rows] - back])
                filtered = None if keeps_seen else seen.rows(rows)
                found = self.index.search(np.array(self.items[last]), k=k, seen=filtered, allowed=allowed)
                answer.item_idx[rows], answer.score[rows] = found.item_idx, found.score
            lists.append(answer)
        return fuse(lists, k=k, quotas=[0] * len(lists)).lists


def open_item_to_item(opened: Opened) -> ItemToItemSource:
    """From the vectors of a run."""
    return ItemToItemSource(index=opened.index, items=opened.items)
