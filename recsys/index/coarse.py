"""A first look at all items in half precision, which leaves out only what provably cannot be among the best."""

import math
import threading
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from recsys.index.filters import SeenItems

_GROUPS = (8, 8)
_ROWS = 128
_COPIED_ITEMS = 65_536
_BUFFER_SCORES = 1 << 27


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortlist:
    """Items that may be among the best, and what the others cannot reach.

    Attributes:
        item_idx: Shape (B, M); -1 where nothing is left.
        bound: Shape (B,): no item off the list has a larger dot product.
    """

    item_idx: Tensor
    bound: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Best:
    """The largest numbers of each row, shape (B, M), and where they stand."""

    values: Tensor
    indices: Tensor


class CoarseScan:
    """Scores all items in half precision and finds the best of them by the largest score of each group of items.

    The M best items lie in the M groups with the largest maxima, so that only those groups are looked into; the best groups
    are found in the same way in groups of groups.

    Args:
        items: Shape (I, D) float32.
        dtype: Of the scan; half precision if left out, where the processor multiplies in it.
        two_levels_from: Items from which on groups are grouped.
    """

    def __init__(self, items: Tensor, *, dtype: torch.dtype | None = None, two_levels_from: int = 32_768) -> None:
        self._n_items, dim = items.shape
        self._sizes = _GROUPS if self._n_items >= two_levels_from else _GROUPS[:1]
        whole = math.prod(self._sizes)
        self._dtype = dtype or (torch.bfloat16 if _is_fast_in_bfloat16(items.device) else torch.float32)
        self._items = torch.zeros(-(-self._n_items // whole) * whole, dim, dtype=self._dtype, device=items.device)
        self._error = self._longest = 0.0
        for begin in range(0, self._n_items, _COPIED_ITEMS):
            part = items[begin : begin + _COPIED_ITEMS]
            rounded = self._items[begin : begin + len(part)].copy_(part)
            self._error = max(self._error, float(torch.linalg.vector_norm(part - rounded.float(), dim=1).max()))
            self._longest = max(self._longest, float(torch.linalg.vector_norm(part, dim=1).max()))
        self._kept = threading.local()

    @property
    def best_rows(self) -> int:
        """How many queries to answer at once: enough for a good product, few enough for 256 MB of scores."""
        return max(1, min(_ROWS, _BUFFER_SCORES // len(self._items)))

    def can_list(self, n: int) -> bool:
        """Whether so many items are found by groups with less work than by sorting all."""
        return 2 * n * math.prod(self._sizes) <= len(self._items)

    def shortlist(self, queries: Tensor, *, n: int, seen: SeenItems | None) -> Shortlist:
        """The n items with the largest rounded scores.

        Args:
            queries: Shape (B, D) float32.
            n: M, the length of the list.
            seen: Items to leave out for each row.
        """
        rounded = queries.to(self._dtype)  # (B, D)
        scores = self._scores(rounded, seen)  # (P, B)
        best = self._climb(_as_whole_numbers(scores), n)
        if bool((best.values <= 0).any()):
            best = self._climb(scores.float(), n)
        value = best.values if best.values.is_floating_point() else best.values.view(self._dtype)
        item = torch.where(value.isneginf(), -1, best.indices)
        return Shortlist(item_idx=item, bound=self._bound(queries, rounded.float(), value.float().amin(1)))

    def _climb(self, scores: Tensor, n: int) -> Best:
        """The n largest of each column of scores (P, B), by way of the largest groups of groups."""
        levels = [scores]
        for size in self._sizes:
            levels.append(levels[-1].view(size, -1, scores.shape[1]).amax(0))
        values, idx = levels.pop().t().contiguous().topk(n, dim=1, sorted=False)  # (B, M)
        for size, level in zip(reversed(self._sizes), reversed(levels), strict=True):
            n_groups = len(level) // size
            at = idx.t()[None].expand(size, -1, -1)  # (S, M, B)
            inside = level.view(size, n_groups, -1).gather(1, at).permute(2, 0, 1).flatten(1)  # (B, S·M)
            values, position = inside.topk(n, dim=1, sorted=False)
            idx = position // n * n_groups + idx.gather(1, position % n)
        return Best(values=values, indices=idx)

    def _scores(self, rounded: Tensor, seen: SeenItems | None) -> Tensor:
        """Rounded scores of all items and of the padding behind them, shape (P, B)."""
        scores = self._buffer(len(rounded), rounded.device)
        torch.mm(self._items, rounded.t().contiguous(), out=scores)
        scores[self._n_items :] = -torch.inf
        if seen is not None:
            row, item = (torch.from_numpy(np.asarray(part, np.int64)).to(scores.device) for part in seen.pairs())
            scores[item, row] = -torch.inf
        return scores

    def _buffer(self, n_rows: int, device: torch.device) -> Tensor:
        """Room for scores, kept for the next block: new memory costs as much as the product."""
        kept: Tensor | None = getattr(self._kept, "scores", None)
        if kept is None or kept.shape[1] != n_rows:
            kept = self._kept.scores = torch.empty(len(self._items), n_rows, dtype=self._dtype, device=device)
        return kept

    def _bound(self, queries: Tensor, rounded: Tensor, last: Tensor) -> Tensor:
        """Cauchy and Schwarz over both roundings, the rounding of the score itself, and the sum in float32.

        What is off the list has a rounded score of at most `last`, so that before rounding it was at most half a step above.
        """
        off = torch.linalg.vector_norm(queries - rounded, dim=1) * self._longest
        off = off + torch.linalg.vector_norm(rounded, dim=1) * self._error
        length = torch.linalg.vector_norm(queries, dim=1) * self._longest
        step = torch.finfo(self._dtype).eps * torch.exp2(torch.frexp(last).exponent - 1.0)
        half_step = torch.where(last.isneginf(), 0.0, step / 2)
        bound: Tensor = last + off + half_step + queries.shape[1] * 2**-23 * length
        return bound


def _as_whole_numbers(scores: Tensor) -> Tensor:
    """The same bits as whole numbers: positive scores keep their order, and are above all others."""
    return scores.view(torch.int16 if scores.dtype == torch.bfloat16 else torch.int32)


def _is_fast_in_bfloat16(device: torch.device) -> bool:
    return device.type == "cpu" and torch.cpu._is_avx512_bf16_supported()
