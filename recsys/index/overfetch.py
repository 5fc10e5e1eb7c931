"""Filters over an approximate index: fetch more than is asked for, drop what must not be answered, fill up by exact search."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from recsys.index.exact import ExactIndex
from recsys.index.filters import SeenItems
from recsys.index.nearest import Neighbours, Vectors

Find = Callable[[Vectors, NDArray[np.int64]], NDArray[np.int32]]
_NARROW_SHARE = 0.1
_MARGIN = 1.2


class Overfetch:
    """Turns a search without filters into one that still returns k.

    Where a filter leaves at most a tenth of the catalogue, that tenth is searched exactly, which is cheaper. Else each query
    asks for as many more as the filter takes on average; lists that end up short ask for four times as many, and what is
    short still is searched exactly.

    Args:
        vectors: Shape (I, D).
        find: Queries of shape (B, D) and how many items each wants, shape (B,), to item idx of shape (B, W), -1 for none.
        block_numbers: Numbers in the vectors that are looked at together.
    """

    def __init__(self, vectors: Vectors, find: Find, *, block_numbers: int = 1 << 24) -> None:
        self._vectors, self._find, self._block_numbers = vectors, find, block_numbers
        self._exact: ExactIndex | None = None

    def search(
        self, queries: Vectors, *, k: int, seen: SeenItems | None = None, allowed: NDArray[np.bool_] | None = None
    ) -> Neighbours:
        """See `Nearest.search`."""
        share = 1.0 if allowed is None else float(allowed.mean())
        answer = Neighbours.empty(len(queries), k)
        rows = np.arange(len(queries))
        if share > _NARROW_SHARE:
            spread = 1.0 if share == 1 else _MARGIN / share
            for wider in (1,) if share == 1 else (1, 4):
                wanted = self._wanted(len(queries), int(np.ceil(k * spread * wider)), seen)
                for block in self._blocks(rows, wanted):
                    self._fill(answer, block, queries, wanted, seen, allowed)
                rows = np.flatnonzero((answer.item_idx < 0).any(1))
        if len(rows):
            self._exact = self._exact or ExactIndex(self._vectors)
            left_out = None if seen is None else seen.rows(rows)
            found = self._exact.search(np.array(queries[rows]), k=k, seen=left_out, allowed=allowed)
            answer.item_idx[rows], answer.score[rows] = found.item_idx, found.score
        return answer

    def _wanted(self, n_queries: int, n: int, seen: SeenItems | None) -> NDArray[np.int64]:
        n_seen = np.zeros(n_queries, np.int64) if seen is None else seen.counts()
        return np.minimum(n + n_seen, len(self._vectors)).astype(np.int64)

    def _blocks(self, rows: NDArray[np.int64], wanted: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """Rows that want about as much together, so that their vectors fit into memory and one heavy user slows down few."""
        ordered = rows[np.argsort(wanted[rows], kind="stable")]
        blocks, begin = [], 0
        while begin < len(ordered):
            size = 1
            while (
                begin + size < len(ordered) and self._numbers(wanted[ordered[begin + size]]) * (size + 1) <= self._block_numbers
            ):
                size += 1
            blocks.append(ordered[begin : begin + size])
            begin += size
        return blocks

    def _numbers(self, wanted: np.int64) -> int:
        return int(wanted) * int(self._vectors.shape[1])

    def _fill(
        self,
        answer: Neighbours,
        rows: NDArray[np.int64],
        queries: Vectors,
        wanted: NDArray[np.int64],
        seen: SeenItems | None,
        allowed: NDArray[np.bool_] | None,
    ) -> None:
        block = np.array(queries[rows])
        item_idx = self._find(block, wanted[rows])  # (B, W)
        is_kept = item_idx >= 0
        if allowed is not None:
            is_kept &= allowed[item_idx]
        if seen is not None:
            row, item = seen.rows(rows).pairs()
            n_items = len(self._vectors)
            keys = np.arange(len(rows))[:, None] * n_items + item_idx
            is_kept &= ~np.isin(keys, row * n_items + item)
        # Not einsum, whose order of summation, and with it the last digit, depends on how many queries come together.
        score = (self._vectors[np.maximum(item_idx, 0)] * block[:, None]).sum(-1)
        score = np.where(is_kept, score, -np.inf).astype(np.float32)
        order = np.argsort(-score, axis=1, kind="stable")[:, : answer.item_idx.shape[1]]
        best = np.take_along_axis(score, order, 1)
        found = np.where(np.isneginf(best), -1, np.take_along_axis(item_idx, order, 1))
        answer.item_idx[rows, : order.shape[1]], answer.score[rows, : order.shape[1]] = found, best
