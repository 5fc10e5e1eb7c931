"""At most so many items of one category in a list, best first; the list is still k long where the catalogue allows it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.index.nearest import Found, Neighbours

Fetch = Callable[[NDArray[np.int64], int], Found]
_FIRST, _WIDER = 2, 4
_BLOCK_CELLS = 1 << 22
_NO_LIMIT = 1 << 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """What counts, and how often it may.

    Attributes:
        categories: Shape (I, A), the category numbers of each item, -1 where it has fewer than A.
        limits: Shape (C,), how many items of each category a list may hold.
    """

    categories: NDArray[np.int32]
    limits: NDArray[np.int64]


def apply_caps(found: Found, caps: Caps, *, k: int) -> tuple[Found, NDArray[np.bool_]]:
    """Walk down each list and skip an item if one of its categories is full. The first k that remain are the answer.

    Args:
        found: Shape (B, W), best first.
        caps: The limits.
        k: Length of the lists, at most W.

    Returns:
        The lists, and for each whether a longer one could add nothing: it is full, or all categories are and every item of
        the catalogue has one.
    """
    lists = found.lists
    n_rows, width = lists.item_idx.shape
    left = np.tile(np.append(caps.limits, _NO_LIMIT), (n_rows, 1))
    is_kept, is_done = np.zeros((n_rows, width), bool), np.zeros(n_rows, bool)
    n_kept = np.zeros(n_rows, np.int64)
    all_capped = bool((caps.categories >= 0).any(1).all())
    rows = np.arange(n_rows)[:, None]
    for rank in range(width):
        item = lists.item_idx[:, rank]
        of = caps.categories[np.maximum(item, 0)]  # (B, A)
        is_kept[:, rank] = (item >= 0) & (left[rows, of] > 0).all(1) & ~is_done
        np.subtract.at(left, (np.broadcast_to(rows, of.shape), of), is_kept[:, rank : rank + 1].astype(np.int64))
        n_kept += is_kept[:, rank]
        is_done = n_kept >= k
        if all_capped:
            is_done |= (left[:, :-1] <= 0).all(1)
        if is_done.all():
            break
    order = np.argsort(~is_kept, axis=1, kind="stable")[:, :k]
    kept = np.take_along_axis(is_kept, order, 1)
    chosen = Neighbours(
        item_idx=np.where(kept, np.take_along_axis(lists.item_idx, order, 1), -1).astype(np.int32),
        score=np.where(kept, np.take_along_axis(lists.score, order, 1), -np.inf).astype(np.float32),
    )
    source = np.where(kept, np.take_along_axis(found.source, order, 1), -1).astype(np.int8)
    return Found(lists=chosen, source=source), is_done


def search_under_caps(fetch: Fetch, caps: Caps, *, n_queries: int, n_items: int, k: int) -> Found:
    """Fetch longer lists until k items pass the caps, for the rows that need it at most the whole catalogue.

    Args:
        fetch: Rows and a length to lists of that length.
        caps: The limits.
        n_queries: B.
        n_items: I.
        k: Length of the lists.
    """
    answer = Found(lists=Neighbours.empty(n_queries, k), source=np.full((n_queries, k), -1, np.int8))
    rows, width = np.arange(n_queries), min(_FIRST * k, n_items)
    while len(rows):
        open_rows = []
        step = max(1, _BLOCK_CELLS // width)
        for begin in range(0, len(rows), step):
            block = rows[begin : begin + step]
            found = fetch(block, width)
            capped, is_done = apply_caps(found, caps, k=min(k, width))
            _put(answer, block, capped)
            is_exhausted = (found.lists.item_idx < 0).any(1) | (width >= n_items)
            open_rows.append(block[~is_done & ~is_exhausted])
        rows = np.concatenate(open_rows)
        width = min(_WIDER * width, n_items)
    return answer


def _put(answer: Found, rows: NDArray[np.int64], found: Found) -> None:
    """Write lists into some rows of longer or equal ones."""
    n = found.source.shape[1]
    answer.lists.item_idx[rows, :n], answer.lists.score[rows, :n] = found.lists.item_idx, found.lists.score
    answer.source[rows, :n] = found.source
