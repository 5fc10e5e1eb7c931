"""The items nearest to those that the user took last."""

from dataclasses import dataclass

import numpy as np

from recsys.candidates.fusion import fuse
from recsys.candidates.sources.source import Opened, Request
from recsys.index.nearest import Nearest, Neighbours, Vectors

_LAST_ITEMS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemToItemSource:
    """The items nearest to each of the last three items of the user, fused."""

    index: Nearest
    items: Vectors

    def find(self, asked: Request) -> Neighbours:
        """See `Source.find`. A user without items gets an empty list."""
        seen, lists = asked.seen, []
        for back in range(1, _LAST_ITEMS + 1):
            answer = Neighbours.empty(len(asked.user_idx), asked.k)
            rows = np.flatnonzero(seen.counts() >= back)
            if len(rows):
                last = np.asarray(seen.item_idx[np.asarray(seen.ends)[rows] - back])
                filtered = None if asked.keeps_seen else seen.rows(rows)
                found = self.index.search(np.array(self.items[last]), k=asked.k, seen=filtered, allowed=asked.allowed)
                answer.item_idx[rows], answer.score[rows] = found.item_idx, found.score
            lists.append(answer)
        return fuse(lists, k=asked.k, quotas=[0] * len(lists)).lists


def open_item_to_item(opened: Opened) -> ItemToItemSource:
    """From the vectors of a run."""
    return ItemToItemSource(index=opened.index, items=opened.items)
