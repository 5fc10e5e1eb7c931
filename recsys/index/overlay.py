"""An index and, beside it, an exact block of the items that came after it was built."""

import numpy as np
from numpy.typing import NDArray

from recsys.index.exact import ExactIndex
from recsys.index.filters import SeenItems
from recsys.index.nearest import Nearest, Neighbours, Vectors


class OverlayIndex:
    """Searches both and merges the lists by score. Items of the block have the idx behind those of the index.

    Args:
        index: The index, over I items.
        n_items: I.
        added: Shape (N, D), the vectors of the block.
    """

    def __init__(self, index: Nearest, *, n_items: int, added: Vectors) -> None:
        self._index, self._n_items = index, n_items
        self._block = ExactIndex(added)
        self._n_added = len(added)

    def search(
        self, queries: Vectors, *, k: int, seen: SeenItems | None = None, allowed: NDArray[np.bool_] | None = None
    ) -> Neighbours:
        """See `Nearest.search`; seen and allowed items are counted over both."""
        idx = np.arange(self._n_items + self._n_added)
        parts = []
        for index, begin, end in (
            (self._index, 0, self._n_items),
            (self._block, self._n_items, self._n_items + self._n_added),
        ):
            number = np.where((idx >= begin) & (idx < end), idx - begin, -1).astype(np.int32)
            found = index.search(
                queries,
                k=k,
                seen=None if seen is None else seen.renumber(number),
                allowed=None if allowed is None else allowed[begin:end],
            )
            parts.append((np.where(found.item_idx >= 0, found.item_idx + begin, -1), found.score))
        item_idx, score = (np.concatenate(each, axis=1) for each in zip(*parts, strict=True))
        order = np.argsort(-score, axis=1, kind="stable")[:, :k]
        return Neighbours(
            item_idx=np.take_along_axis(item_idx, order, 1).astype(np.int32), score=np.take_along_axis(score, order, 1)
        )
