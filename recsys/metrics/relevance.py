"""Metrics that ask how many relevant items are among the first k, whatever their order."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Hits = NDArray[np.bool_]
Counts = NDArray[np.integer]


def hit_rate(hits: Hits, n_relevant: Counts, *, ks: Sequence[int]) -> Values:
    """1 if any relevant item is among the first k.

    Args:
        hits: Shape (U, K): whether the item at each rank is relevant.
        n_relevant: Shape (U,): relevant items of each user.
        ks: The first k ranks count, for each k.

    Returns:
        Shape (U, len(ks)).

    >>> hit_rate(np.array([[False, True], [False, False]]), np.array([1, 2]), ks=[1, 2])
    array([[0., 1.],
           [0., 0.]])
    """
    return np.asarray(summed_to(hits, ks) > 0, np.float64)


def recall(hits: Hits, n_relevant: Counts, *, ks: Sequence[int]) -> Values:
    """Share of a user's relevant items that are among the first k.

    Args:
        hits: Shape (U, K).
        n_relevant: Shape (U,), at least 1.
        ks: The first k ranks count, for each k.

    Returns:
        Shape (U, len(ks)).

    >>> recall(np.array([[False, True], [True, False]]), np.array([1, 4]), ks=[1, 2])
    array([[0.  , 1.  ],
           [0.25, 0.25]])
    """
    return summed_to(hits, ks) / np.maximum(n_relevant, 1)[:, None]


def precision(hits: Hits, n_relevant: Counts, *, ks: Sequence[int]) -> Values:
    """Share of the first k items that are relevant; a shorter list is still divided by k.

    Args:
        hits: Shape (U, K).
        n_relevant: Shape (U,).
        ks: The first k ranks count, for each k.

    Returns:
        Shape (U, len(ks)).

    >>> precision(np.array([[False, True], [True, True]]), np.array([1, 2]), ks=[1, 2])
    array([[0. , 0.5],
           [1. , 1. ]])
    """
    return summed_to(hits, ks) / np.asarray(ks, np.float64)


def r_precision(hits: Hits, n_relevant: Counts, *, ks: Sequence[int]) -> Values:
    """Precision at as many ranks as a user has relevant items, where they are among the first k.

    Args:
        hits: Shape (U, K).
        n_relevant: Shape (U,), at least 1.
        ks: The first k ranks count, for each k.

    Returns:
        Shape (U, len(ks)).

    Source: Manning, Raghavan & Schütze, "Introduction to Information Retrieval", 2008, section 8.4.

    >>> r_precision(np.array([[True, False, True], [False, True, True]]), np.array([2, 1]), ks=[1, 3])
    array([[0.5, 0.5],
           [0. , 0. ]])
    """
    within = hits & (np.arange(hits.shape[1]) < np.asarray(n_relevant)[:, None])
    return summed_to(within, ks) / np.maximum(n_relevant, 1)[:, None]


def summed_to(values: NDArray[np.bool_] | Values, ks: Sequence[int], *, weights: Values | None = None) -> Values:
    """Sums of the first k columns, for each k.

    Args:
        values: Shape (U, K).
        ks: For each k.
        weights: Shape (K,), of each rank; 1 if None.

    Returns:
        Shape (U, len(ks)).
    """
    ranks = np.arange(values.shape[1])[:, None]
    counted = np.asarray(ranks < np.asarray(ks), np.float64)  # (K, len(ks))
    return values.astype(np.float64, copy=False) @ (counted if weights is None else weights[:, None] * counted)
