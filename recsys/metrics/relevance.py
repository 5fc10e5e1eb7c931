"""Metrics that ask how many relevant items are among the first k, whatever their order."""

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Hits = NDArray[np.bool_]
Counts = NDArray[np.integer]


def hit_rate(hits: Hits, n_relevant: Counts, *, k: int) -> Values:
    """1 if any relevant item is among the first k.

    Args:
        hits: Shape (U, K): whether the item at each rank is relevant.
        n_relevant: Shape (U,): relevant items of each user.
        k: The first k ranks count.

    Returns:
        Shape (U,).

    >>> hit_rate(np.array([[False, True], [False, False]]), np.array([1, 2]), k=2)
    array([1., 0.])
    """
    return np.asarray(hits[:, :k].any(1), np.float64)


def recall(hits: Hits, n_relevant: Counts, *, k: int) -> Values:
    """Share of a user's relevant items that are among the first k.

    Args:
        hits: Shape (U, K).
        n_relevant: Shape (U,), at least 1.
        k: The first k ranks count.

    Returns:
        Shape (U,).

    >>> recall(np.array([[False, True], [True, False]]), np.array([1, 4]), k=2)
    array([1.  , 0.25])
    """
    return np.asarray(hits[:, :k].sum(1) / np.maximum(n_relevant, 1), np.float64)


def precision(hits: Hits, n_relevant: Counts, *, k: int) -> Values:
    """Share of the first k items that are relevant; a shorter list is still divided by k.

    Args:
        hits: Shape (U, K).
        n_relevant: Shape (U,).
        k: The first k ranks count.

    Returns:
        Shape (U,).

    >>> precision(np.array([[False, True], [True, True]]), np.array([1, 2]), k=2)
    array([0.5, 1. ])
    """
    return np.asarray(hits[:, :k].sum(1) / k, np.float64)
