"""The one judge: ranked lists against relevant items. Validation, evaluation, tuning, studies and cold items all ask here."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from recsys.core.arrays import distinct
from recsys.metrics.rank import average_precision, ndcg, rank_biased_precision, reciprocal_rank
from recsys.metrics.relevance import Counts, Hits, Values, hit_rate, precision, r_precision, recall

Metric = Callable[..., Values]
METRICS: Mapping[str, Metric] = {
    "hr": hit_rate,
    "recall": recall,
    "precision": precision,
    "r_precision": r_precision,
    "ndcg": ndcg,
    "mrr": reciprocal_rank,
    "map": average_precision,
    "rbp": rank_biased_precision,
}
_BLOCK_BYTES = 1 << 20  # of a matrix that stays in the cache from one step to the next


def judge(hits: Hits, n_relevant: Counts, *, ks: Sequence[int], metrics: Sequence[str] = tuple(METRICS)) -> dict[str, Values]:
    """Each metric at each k for each user.

    Args:
        hits: Shape (U, K): whether the item at each rank is relevant.
        n_relevant: Shape (U,): relevant items of each user.
        ks: List lengths.
        metrics: Which; all if left out.

    Returns:
        By names such as `ndcg@10`, shape (U,) each.

    >>> judge(np.array([[False, True]]), np.array([1]), ks=[2], metrics=["hr", "mrr"])
    {'hr@2': array([1.]), 'mrr@2': array([0.5])}
    """
    n_users, block = len(hits), max(1, _BLOCK_BYTES // (8 * max(hits.shape[1], 1)))
    found = {name: np.empty((len(ks), n_users)) for name in metrics}
    for begin in range(0, n_users, block):
        rows = slice(begin, begin + block)
        for name in metrics:
            found[name][:, rows] = METRICS[name](hits[rows], n_relevant[rows], ks=ks).T
    return {f"{name}@{k}": found[name][column] for name in metrics for column, k in enumerate(ks)}


def find_hits(item_idx: NDArray[np.integer], row: NDArray[np.integer], item: NDArray[np.integer]) -> tuple[Hits, Counts]:
    """Which ranks of some lists hold a relevant item, and how many relevant items each user has.

    Args:
        item_idx: Shape (U, K), the lists; negative where a list is short.
        row: Shape (R,), whose each relevant item is; a pair that stands there twice counts once.
        item: Shape (R,), the relevant items, from 0.

    >>> find_hits(np.array([[4, 7]]), np.array([0, 0]), np.array([7, 9]))
    (array([[False,  True]]), array([2]))
    """
    width = np.int64(item.max(initial=0)) + 1
    keys = distinct(row.astype(np.int64) * width + item)
    own, wanted = keys // width, np.minimum(keys % width, np.iinfo(item_idx.dtype).max).astype(item_idx.dtype)
    n_ranks = item_idx.shape[1]
    hits, block = np.zeros(item_idx.shape, bool), max(1, _BLOCK_BYTES // (item_idx.itemsize * max(n_ranks, 1)))
    for begin in range(0, len(keys), block):
        rows = own[begin : begin + block]
        found = np.flatnonzero(item_idx[rows] == wanted[begin : begin + block, None])
        hits[rows[found // n_ranks], found % n_ranks] = True
    return hits, np.bincount(own, minlength=len(item_idx))


def hits_of_ranks(rank: NDArray[np.integer], row: NDArray[np.integer], *, longest: int) -> tuple[Hits, Counts]:
    """The same where the rank of each relevant item is known.

    Args:
        rank: Shape (R,), from 1, of each relevant item in its user's whole list.
        row: Shape (R,), whose it is, from 0 without holes.
        longest: Ranks that are looked at.
    """
    n_users = int(row.max(initial=-1)) + 1
    hits = np.zeros((n_users, longest), bool)
    within = rank <= longest
    hits[row[within], rank[within] - 1] = True
    return hits, np.bincount(row, minlength=n_users)
