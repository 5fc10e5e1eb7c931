"""Metrics that ask how high the relevant items stand."""

import numpy as np

from recsys.metrics.relevance import Counts, Hits, Values


def ndcg(hits: Hits, n_relevant: Counts, *, k: int) -> Values:
    """Discounted gain of the first k over the best that could be reached: gain 1, discount log2(rank + 1).

    Args:
        hits: Shape (U, K).
        n_relevant: Shape (U,), at least 1.
        k: The first k ranks count.

    Returns:
        Shape (U,).

    Source: Järvelin & Kekäläinen, "Cumulated Gain-Based Evaluation", TOIS 2002, eq. 3.

    >>> ndcg(np.array([[True, False], [False, True]]), np.array([1, 1]), k=2).round(4)
    array([1.    , 0.6309])
    """
    discount = 1 / np.log2(np.arange(2, k + 2))
    width = min(k, hits.shape[1])
    gain = hits[:, :k] @ discount[:width]
    best = np.concatenate([[0], np.cumsum(discount)])[np.minimum(n_relevant, k)]
    return np.where(best > 0, gain / np.where(best > 0, best, 1), 0.0)


def reciprocal_rank(hits: Hits, n_relevant: Counts, *, k: int) -> Values:
    """One over the rank of the first relevant item among the first k, 0 if there is none. Its mean is MRR.

    Args:
        hits: Shape (U, K).
        n_relevant: Shape (U,).
        k: The first k ranks count.

    Returns:
        Shape (U,).

    >>> reciprocal_rank(np.array([[False, True], [False, False]]), np.array([1, 1]), k=2)
    array([0.5, 0. ])
    """
    within = hits[:, :k]
    return np.where(within.any(1), 1 / (within.argmax(1) + 1), 0.0)


def average_precision(hits: Hits, n_relevant: Counts, *, k: int) -> Values:
    """Mean, over all relevant items, of the precision at the rank where each is found in the first k. Its mean is MAP.

    Args:
        hits: Shape (U, K).
        n_relevant: Shape (U,), at least 1.
        k: The first k ranks count.

    Returns:
        Shape (U,).

    >>> average_precision(np.array([[True, True], [False, True]]), np.array([2, 1]), k=2)
    array([1. , 0.5])
    """
    within = hits[:, :k]
    precision_at = within.cumsum(1) / np.arange(1, within.shape[1] + 1)
    return np.asarray((precision_at * within).sum(1) / np.maximum(n_relevant, 1), np.float64)


def rank_biased_precision(hits: Hits, n_relevant: Counts, *, k: int, persistence: float = 0.8) -> Values:
    """Relevant items among the first k, weighted by the chance that somebody reading down the list gets to them.

    Unlike NDCG it depends on nothing below rank k and not on how many items are relevant in all.

    Args:
        hits: Shape (U, K).
        n_relevant: Shape (U,), not read.
        k: The first k ranks count.
        persistence: Chance that the reader goes on from one rank to the next.

    Returns:
        Shape (U,), below 1: a full list of hits has 1 - persistence ** k.

    Source: Moffat & Zobel, "Rank-Biased Precision for Measurement of Retrieval Effectiveness", TOIS 2008, eq. 1.

    >>> rank_biased_precision(np.array([[True, False, True]]), np.array([2]), k=3).round(3)
    array([0.328])
    """
    within = hits[:, :k]
    return np.asarray((1 - persistence) * (within @ persistence ** np.arange(within.shape[1])), np.float64)
