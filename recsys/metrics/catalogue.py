"""Metrics of what is recommended at all, beyond whether it is right."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recsys.metrics.relevance import Values, summed_to


def coverage(counts: NDArray[np.integer]) -> float:
    """Share of the catalogue that is recommended to anyone.

    Args:
        counts: Shape (I,), in how many lists each item is.

    >>> coverage(np.array([2, 0, 1, 0]))
    0.5
    """
    return float((counts > 0).mean())


def gini(counts: NDArray[np.integer]) -> float:
    """Inequality of exposure: 0 if all items are recommended equally often, near 1 if one item takes everything.

    Args:
        counts: Shape (I,), in how many lists each item is.

    Source: Shani & Gunawardana, "Evaluating Recommendation Systems", 2011, section 8.3.2.

    >>> gini(np.array([1, 1, 1, 1])), gini(np.array([0, 0, 0, 4]))
    (0.0, 0.75)
    """
    n_items, total = len(counts), counts.sum()
    if total == 0:
        return 0.0
    rank = np.arange(1, n_items + 1)
    return float(((2 * rank - n_items - 1) * np.sort(counts)).sum() / (n_items * total))


def novelty(item_idx: NDArray[np.integer], share: NDArray[np.float64], *, ks: Sequence[int]) -> Values:
    """Mean surprise of a user's first k items: -log2 of the share of train events that an item has.

    Args:
        item_idx: Shape (U, K), -1 where a list is short.
        share: Shape (I,), each item's share of train events.
        ks: The first k ranks count, for each k.

    Returns:
        Shape (U, len(ks)), in bits.

    Source: Zhou et al., "Solving the apparent diversity-accuracy dilemma", PNAS 2010, eq. 5.

    >>> novelty(np.array([[0, 1], [1, -1]]), np.array([0.5, 0.25]), ks=[1, 2])
    array([[1. , 1.5],
           [2. , 2. ]])
    """
    return mean_of_listed(item_idx, -np.log2(np.maximum(share, 1e-12)), ks=ks)


def popularity_lift(item_idx: NDArray[np.integer], counts: NDArray[np.integer], taken: Values, *, ks: Sequence[int]) -> Values:
    """How much more popular a user's first k items are than what the user takes: 0 alike, 1 twice as popular.

    Args:
        item_idx: Shape (U, K), -1 where a list is short.
        counts: Shape (I,), train events of each item.
        taken: Shape (U,), mean train events of the items that each user has taken.
        ks: The first k ranks count, for each k.

    Returns:
        Shape (U, len(ks)); 0 for empty lists and for users who took nothing.

    Source: Abdollahpouri et al., "The Unfairness of Popularity Bias in Recommendation", RMSE 2019, section 3, for one user.

    >>> popularity_lift(np.array([[0, 1]]), np.array([6, 2]), np.array([2.0]), ks=[1, 2])
    array([[2., 1.]])
    """
    of_list = mean_of_listed(item_idx, counts.astype(np.float64), ks=ks)
    is_there = (of_list > 0) & (taken > 0)[:, None]
    return np.where(is_there, of_list / np.where(taken > 0, taken, 1)[:, None] - 1, 0.0)


def mean_of_listed(item_idx: NDArray[np.integer], values: Values, *, ks: Sequence[int]) -> Values:
    """Mean of a figure of items over each user's first k; 0 for an empty list.

    Args:
        item_idx: Shape (U, K), -1 where a list is short.
        values: Shape (I,).
        ks: The first k ranks count, for each k.

    Returns:
        Shape (U, len(ks)).
    """
    listed = item_idx >= 0
    summed = summed_to(np.where(listed, values[np.maximum(item_idx, 0)], 0), ks)
    return summed / np.maximum(summed_to(listed, ks), 1)


def serendipity(
    hits: NDArray[np.bool_], item_idx: NDArray[np.integer], counts: NDArray[np.integer], *, ks: Sequence[int]
) -> Values:
    """Share of a user's first k items that are relevant and not among the k most popular ones, which anybody would list.

    Args:
        hits: Shape (U, K): whether the item at each rank is relevant.
        item_idx: Shape (U, K), -1 where a list is short.
        counts: Shape (I,), train events of each item.
        ks: The first k ranks count, for each k.

    Returns:
        Shape (U, len(ks)).

    Source: Ge, Delgado-Battenfeld & Jannach, "Beyond Accuracy", RecSys 2010, section 3.2, popularity as the primitive model.

    >>> serendipity(np.array([[True, True]]), np.array([[0, 2]]), np.array([9, 5, 1]), ks=[1, 2])
    array([[0. , 0.5]])
    """
    rank = np.empty(len(counts), np.int64)
    rank[np.argsort(-counts.astype(np.int64), kind="stable")] = np.arange(len(counts))
    rank_of = np.where(item_idx >= 0, rank[np.maximum(item_idx, 0)], len(counts))
    return np.stack([(hits[:, :k] & (rank_of[:, :k] >= k)).sum(1) / k for k in ks], axis=1)
