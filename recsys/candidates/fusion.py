"""Several sources to one list: reciprocal rank fusion, with a least number of items of a source."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recsys.index.nearest import Found, Neighbours

_DAMPING = 60.0


def fuse(sources: Sequence[Neighbours], *, k: int, quotas: Sequence[int]) -> Found:
    """Rank items by the sum of 1 / (60 + rank) over the sources that found them.

    A source with a quota of q has at least q items of its own in each list, if it found that many: where fewer made it by
    themselves, its best take the last ranks.

    Source: Cormack, Clarke and Büttcher 2009, Reciprocal Rank Fusion.

    Args:
        sources: Shape (B, W) each, best first; the first one wins ties.
        k: Length of the lists.
        quotas: Least number of items of each source, at most k in all.

    Returns:
        Lists of shape (B, k) with the fused score, and the source that ranked each item highest.
    """
    n_rows = len(sources[0].item_idx)
    item = np.concatenate([each.item_idx for each in sources], axis=1)
    source = np.concatenate([np.full(each.item_idx.shape[1], number) for number, each in enumerate(sources)])
    rank = np.concatenate([np.arange(1, each.item_idx.shape[1] + 1) for each in sources])
    row, column = np.nonzero(item >= 0)
    item, source, rank = item[row, column], source[column], rank[column]
    order = np.lexsort((source, rank, item, row))
    row, item, source, rank = row[order], item[order], source[order], rank[order]
    is_first = np.ones(len(row), bool)
    is_first[1:] = (row[1:] != row[:-1]) | (item[1:] != item[:-1])
    group = np.cumsum(is_first) - 1
    score = np.bincount(group, 1 / (_DAMPING + rank), minlength=int(is_first.sum()))
    found_by = np.full((len(score), len(sources)), np.iinfo(np.int64).max)
    found_by[group, source] = rank
    row, item, source = row[is_first], item[is_first], source[is_first]
    is_reserved = _reserve(row, found_by, quotas)
    kept = _first(row, np.lexsort((item, -score, ~is_reserved, row)), k)
    kept = kept[np.lexsort((item[kept], -score[kept], row[kept]))]
    rank = _ranks(row[kept])
    answer, by = Neighbours.empty(n_rows, k), np.full((n_rows, k), -1, np.int8)
    answer.item_idx[row[kept], rank], answer.score[row[kept], rank] = item[kept], score[kept]
    by[row[kept], rank] = source[kept]
    return Found(lists=answer, source=by)


def _reserve(row: NDArray[np.int64], found_by: NDArray[np.int64], quotas: Sequence[int]) -> NDArray[np.bool_]:
    """Each source's own best, as many as its quota."""
    is_reserved = np.zeros(len(row), bool)
    for source, quota in enumerate(quotas):
        has = np.flatnonzero(found_by[:, source] < np.iinfo(np.int64).max)
        order = has[np.lexsort((found_by[has, source], row[has]))]
        is_reserved[_first(row, order, quota)] = True
    return is_reserved


def _first(row: NDArray[np.int64], order: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Of each row the first n in an order that is sorted by row."""
    return order[_ranks(row[order]) < n]


def _ranks(row: NDArray[np.int64]) -> NDArray[np.int64]:
    """Each entry's rank within its row, for rows in sorted order."""
    starts = np.flatnonzero(np.r_[True, row[1:] != row[:-1]]) if len(row) else np.zeros(0, np.int64)
    return np.arange(len(row)) - np.repeat(starts, np.diff(np.append(starts, len(row))))
