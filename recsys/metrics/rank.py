"""Metrics that ask how high the relevant items stand."""

from collections.abc import Sequence

import numpy as np

from recsys.metrics.relevance import Counts, Hits, Values, summed_to


def ndcg(hits: Hits, n_relevant: Counts, *, ks: Sequence[int]) -> Values:
    """Discounted gain of the first k over the best that could be reached: gain 1, discount log2(rank + 1).

    Args:
        hits: Shape (U, K).
        n_relevant: Shape (U,), at least 1.
        ks: The first k ranks count, for each k.

    Returns:
        Shape (U, len(ks)).

    Source: Järvelin & Kekäläinen, "Cumulated Gain-Based Evaluation", TOIS 2002, eq. 3.

    >>> ndcg(np.array([[True, False], [False, True]]), np.array([1, 1]), ks=[1, 2]).round(4)
    array([[1.    , 1.    ],
           [0.    , 0.6309]])
    """
    gain = summed_to(hits, ks, weights=discounts(hits.shape[1]))
    reached = np.concatenate([[0], np.cumsum(discounts(max(ks)))])
    best = reached[np.minimum(np.asarray(n_relevant)[:, None], ks)]
    return np.where(best > 0, gain / np.where(best > 0, best, 1), 0.0)


def discounts(n_ranks: int) -> Values:
    """What a hit at each rank counts: 1 / log2(rank + 1). Shape (n_ranks,)."""
    return np.asarray(1 / np.log2(np.arange(2, n_ranks + 2)), np.float64)


def reciprocal_rank(hits: Hits, n_relevant: Counts, *, ks: Sequence[int]) -> Values:
    """One over the rank of the first relevant item among the first k, 0 if there is none. Its mean is MRR.

    Args:
        hits: Shape (U, K).
        n_relevant: Shape (U,).
        ks: The first k ranks count, for each k.

    Returns:
        Shape (U, len(ks)).

    >>> reciprocal_rank(np.array([[False, True], [False, False]]), np.array([1, 1]), ks=[1, 2])
    array([[0. , 0.5],
           [0. , 0. ]])
    """
    first = np.where(hits.any(1), hits.argmax(1), hits.shape[1] + max(ks))[:, None]
    return np.where(first < np.asarray(ks), 1 / (first + 1), 0.0)


def average_precision(hits: Hits, n_relevant: Counts, *, ks: Sequence[int]) -> Values:
    """Mean, over all relevant items, of the precision at the rank where each is found in the first k. Its mean is MAP.

    Args:
        hits: Shape (U, K).
        n_relevant: Shape (U,), at least 1.
        ks: The first k ranks count, for each k.

    Returns:
        Shape (U, len(ks)).

    >>> average_precision(np.array([[True, True], [False, True]]), np.array([2, 1]), ks=[1, 2])
    array([[0.5, 1. ],
           [0. , 0.5]])
    """
    precision_at = hits.cumsum(1, dtype=np.int32) / np.arange(1, hits.shape[1] + 1)
    return summed_to(precision_at * hits, ks) / np.maximum(n_relevant, 1)[:, None]


def rank_biased_precision(hits: Hits, n_relevant: Counts, *, ks: Sequence[int], persistence: float = 0.8) -> Values:
    """Relevant items among the first k, weighted by the chance that somebody reading down the list gets to them.

    Unlike NDCG it depends on nothing below rank k and not on how many items are relevant in all.

    Args:
        hits: Shape (U, K).
        n_relevant: Shape (U,), not read.
        ks: The first k ranks count, for each k.
        persistence: Chance that the reader goes on from one rank to the next.

    Returns:
        Shape (U, len(ks)), below 1: a full list of hits has 1 - persistence ** k.

    Source: Moffat & Zobel, "Rank-Biased Precision for Measurement of Retrieval Effectiveness", TOIS 2008, eq. 1.

    >>> rank_biased_precision(np.array([[True, False, True]]), np.array([2]), ks=[1, 3]).round(3)
    array([[0.2  , 0.328]])
    """
    seen = persistence ** np.arange(hits.shape[1], dtype=np.float64)
    return (1 - persistence) * summed_to(hits, ks, weights=np.asarray(seen))


def graded_recall(gains: Values, whole: Values, *, ks: Sequence[int]) -> Values:
    """Share of the gain of a user's relevant items that is among the first k.

    With each item's gain the inverse of its propensity to be observed it is recall freed of popularity.

    Args:
        gains: Shape (U, K): what the item at each rank is worth, 0 where it is not relevant.
        whole: Shape (U,): what all relevant items of a user are worth together.
        ks: The first k ranks count, for each k.

    Returns:
        Shape (U, len(ks)).

    Source: Yang et al., "Unbiased Offline Recommender Evaluation for Missing-Not-At-Random Implicit Feedback", RecSys 2018,
        eq. 8, normalised within each user.

    >>> graded_recall(np.array([[0.0, 3.0]]), np.array([4.0]), ks=[1, 2])
    array([[0.  , 0.75]])
    """
    return summed_to(gains, ks) / np.where(whole > 0, whole, 1)[:, None]


def graded_ndcg(gains: Values, best: Values, *, ks: Sequence[int]) -> Values:
    """`ndcg` where items are worth different gains.

    Args:
        gains: Shape (U, K): what the item at each rank is worth, 0 where it is not relevant.
        best: Shape (U, R): what each relevant item is worth, the most first, 0 where there are fewer; those beyond the
            longest list play no part.
        ks: The first k ranks count, for each k.

    Returns:
        Shape (U, len(ks)).

    Source: Järvelin & Kekäläinen, "Cumulated Gain-Based Evaluation", TOIS 2002, eq. 3; gains are linear.

    >>> graded_ndcg(np.array([[1.0, 3.0]]), np.array([[3.0, 1.0]]), ks=[1, 2]).round(4)
    array([[0.3333, 0.7967]])
    """
    reached = summed_to(gains, ks, weights=discounts(gains.shape[1]))
    most = summed_to(best, ks, weights=discounts(best.shape[1]))
    return np.where(most > 0, reached / np.where(most > 0, most, 1), 0.0)
