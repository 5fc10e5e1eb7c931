"""Exact search: a blocked matrix product with top-k. It is also what every other index is measured against."""

import numpy as np
import torch

from recsys.retrieval.filters import SeenItems
from recsys.retrieval.nearest import Neighbours, Vectors

_BLOCK_SCORES = 1 << 24


class ExactIndex:
    """Searches all items.

    Args:
        vectors: Shape (I, D) float32.
        device: Where the product is computed.
    """

    def __init__(self, vectors: Vectors, *, device: str = "cpu") -> None:
        self._items = torch.from_numpy(np.array(vectors, np.float32)).to(device)

    def search(self, queries: Vectors, *, k: int, seen: SeenItems | None = None) -> Neighbours:
        """See `Nearest.search`. Memory is bounded by blocks of 2^24 scores."""
        n_queries, n_items = len(queries), len(self._items)
        item_idx = np.full((n_queries, k), -1, np.int32)
        score = np.full((n_queries, k), -np.inf, np.float32)
        rows = max(1, _BLOCK_SCORES // n_items)
        for begin in range(0, n_queries, rows):
            part = slice(begin, begin + rows)
            found = self._search_block(queries[part], min(k, n_items), None if seen is None else seen.rows(part))
            item_idx[part, : found.item_idx.shape[1]] = found.item_idx
            score[part, : found.score.shape[1]] = found.score
        return Neighbours(item_idx=item_idx, score=score)

    def _search_block(self, queries: Vectors, k: int, seen: SeenItems | None) -> Neighbours:
        block = torch.from_numpy(np.array(queries, np.float32)).to(self._items.device)
        scores = block @ self._items.t()  # (B, I)
        if seen is not None:
            row, item = (torch.from_numpy(np.asarray(part, np.int64)).to(scores.device) for part in seen.pairs())
            scores[row, item] = -torch.inf
        best = scores.topk(k)  # (B, K)
        item_idx = torch.where(best.values.isneginf(), -1, best.indices)  # (B, K)
        return Neighbours(item_idx=item_idx.int().cpu().numpy(), score=best.values.cpu().numpy())
