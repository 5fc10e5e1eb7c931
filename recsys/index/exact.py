"""Exact search: all items are scored, and every list is proved. It is also what every other index is measured against."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from recsys.index.coarse import CoarseScan
from recsys.index.filters import SeenItems
from recsys.index.nearest import Neighbours, Vectors

_WIDER = 2
_LEAST_MARGIN, _MARGIN = 28, 0.35
_MOST_GROWTH = 16.0
_WELL_PROVED = 0.95


class ExactIndex:
    """Searches all items.

    Large catalogues are scanned in half precision first; what may be among the best is scored again in float32. A list whose
    last score does not exceed what the scan could have missed is searched again with a longer shortlist, in the end in
    float32 throughout, so that every answer is exact. Where many lists are searched again, shortlists are longer from then on.

    Args:
        vectors: Shape (I, D) float32.
        device: Where the product is computed; on CUDA where there is one if left out.
        block_scores: Scores in float32 that are held at once.
        coarse_from: Items from which on they are scanned in half precision first.
    """

    def __init__(
        self, vectors: Vectors, *, device: str | None = None, block_scores: int = 1 << 24, coarse_from: int = 2048
    ) -> None:
        device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self._items = torch.from_numpy(np.array(vectors, np.float32)).to(device)
        self._scan = CoarseScan(self._items) if len(vectors) >= coarse_from else None
        self._block_scores, self._coarse_from = block_scores, coarse_from
        self._growth = 1.0
        self._pool: ThreadPoolExecutor | None = None
        self._narrowed: tuple[NDArray[np.bool_], NDArray[np.int32], ExactIndex] | None = None

    def search(
        self, queries: Vectors, *, k: int, seen: SeenItems | None = None, allowed: NDArray[np.bool_] | None = None
    ) -> Neighbours:
        """See `Nearest.search`. Memory is bounded by blocks of scores, 2^27 in half precision."""
        if allowed is not None:
            return self._search_allowed(queries, k, seen, allowed)
        n_queries, n_items = len(queries), len(self._items)
        answer = Neighbours.empty(n_queries, k)
        rows = self._scan.best_rows if self._scan is not None else max(1, self._block_scores // max(n_items, 1))
        parts = [np.arange(begin, min(begin + rows, n_queries)) for begin in range(0, n_queries, rows)]
        self._each(lambda part: self._fill(answer, part, queries, min(k, n_items), seen), parts)
        return answer

    def _each(self, fill: Callable[[NDArray[np.int64]], None], parts: list[NDArray[np.int64]]) -> None:
        """Blocks side by side on one thread each are a seventh faster than all threads on one block after the other."""
        n_threads = torch.get_num_threads()
        if self._scan is None or self._items.device.type != "cpu" or min(n_threads, len(parts)) < 2:
            for part in parts:
                fill(part)
            return
        if self._pool is None:
            self._pool = ThreadPoolExecutor(n_threads, initializer=torch.set_num_threads, initargs=(1,))
        try:
            list(self._pool.map(fill, parts))
        finally:
            torch.set_num_threads(n_threads)

    def _search_allowed(self, queries: Vectors, k: int, seen: SeenItems | None, allowed: NDArray[np.bool_]) -> Neighbours:
        """Search a copy that holds the allowed items only; it is kept for the next block of queries."""
        narrowed = self._narrowed
        if narrowed is None or not np.array_equal(narrowed[0], allowed):
            kept = np.flatnonzero(allowed).astype(np.int32)
            part = ExactIndex(
                self._items[torch.from_numpy(kept).long()].cpu().numpy(),
                device=str(self._items.device),
                block_scores=self._block_scores,
                coarse_from=self._coarse_from,
            )
            narrowed = self._narrowed = (allowed.copy(), kept, part)
        _, kept, part = narrowed
        number = np.full(len(allowed), -1, np.int32)
        number[kept] = np.arange(len(kept))
        found = part.search(queries, k=k, seen=None if seen is None else seen.renumber(number))
        item_idx = np.where(found.item_idx >= 0, np.append(kept, -1)[found.item_idx], -1).astype(np.int32)
        return Neighbours(item_idx=item_idx, score=found.score)

    def _fill(self, answer: Neighbours, part: NDArray[np.integer], queries: Vectors, k: int, seen: SeenItems | None) -> None:
        """Answer some rows; a row whose coarse list is not proved takes a wider one, then a full product."""
        n, is_first = k + round(self._growth * max(_LEAST_MARGIN, _MARGIN * k)), True
        while self._scan is not None and len(part) and self._scan.can_list(n):
            block = self._to_device(queries[part])
            left_out = None if seen is None else seen.rows(part)
            short = self._scan.shortlist(block, n=n, seen=left_out)
            item_idx, score = self._order(block, short.item_idx)  # (B, M) each
            is_proved = (score[:, k - 1] >= short.bound).cpu().numpy()
            _write(answer, part, item_idx[:, :k], score[:, :k], only=is_proved)
            if is_first and is_proved.mean() < _WELL_PROVED:
                self._growth = min(_MOST_GROWTH, 1.5 * self._growth)
            part, n, is_first = part[~is_proved], _WIDER * n, False
        step = max(1, self._block_scores // max(len(self._items), 1))
        for begin in range(0, len(part), step):
            rows = part[begin : begin + step]
            block = self._to_device(queries[rows])
            score = block @ self._items.t()  # (B, I)
            if seen is not None:
                row, item = (torch.from_numpy(np.asarray(each, np.int64)).to(score.device) for each in seen.rows(rows).pairs())
                score[row, item] = -torch.inf
            best = score.topk(k)  # (B, K)
            found = torch.where(best.values.isneginf(), -1, best.indices)
            _write(answer, rows, *self._order(block, found), only=np.ones(len(rows), bool))

    def _order(self, queries: Tensor, item_idx: Tensor) -> tuple[Tensor, Tensor]:
        """Items from the best to the worst and their scores, query by query: not as a product of matrices, whose last digits
        depend on how many queries come together.

        Args:
            queries: Shape (B, D).
            item_idx: Shape (B, M), -1 for none.
        """
        item_idx = item_idx.sort(dim=1).values  # of equal items the first comes first
        score = torch.empty(item_idx.shape, device=item_idx.device)  # (B, M)
        step = max(1, self._block_scores // max(item_idx.shape[1] * queries.shape[1], 1))
        for begin in range(0, len(queries), step):
            rows = slice(begin, begin + step)
            numbers = item_idx[rows].clamp(min=0)
            listed = self._items.index_select(0, numbers.flatten()).view(*numbers.shape, queries.shape[1])  # (B, M, D)
            score[rows] = listed.mul_(queries[rows, None]).sum(-1)
        score, order = score.masked_fill_(item_idx < 0, -torch.inf).sort(dim=1, descending=True, stable=True)
        return item_idx.gather(1, order), score

    def _to_device(self, queries: Vectors) -> Tensor:
        return torch.from_numpy(np.array(queries, np.float32)).to(self._items.device)


def _write(answer: Neighbours, part: NDArray[np.integer], item_idx: Tensor, score: Tensor, *, only: NDArray[np.bool_]) -> None:
    rows, width = part[only], item_idx.shape[1]
    answer.item_idx[rows, :width] = torch.where(score.isneginf(), -1, item_idx).int().cpu().numpy()[only]
    answer.score[rows, :width] = score.cpu().numpy()[only]
