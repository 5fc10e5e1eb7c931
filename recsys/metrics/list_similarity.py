"""How alike two ranked lists are."""

import numpy as np
from numpy.typing import NDArray

Lists = NDArray[np.integer]


def overlap(first: Lists, second: Lists) -> NDArray[np.float64]:
    """The share of one list's items that the other holds too.

    Args:
        first: Shape (B, K), item numbers, -1 where a list is shorter.
        second: Shape (B, K).

    Returns:
        Shape (B,): shared items over the longer of both lists; 1 for two empty ones.

    >>> overlap(np.array([[1, 2], [1, 2]]), np.array([[2, 1], [3, 1]])).tolist()
    [1.0, 0.5]
    """
    shared = _shared(first, second).sum((1, 2))
    longest = np.maximum((first >= 0).sum(1), (second >= 0).sum(1))
    return np.where(longest > 0, shared / np.maximum(longest, 1), 1.0)


def rank_biased_overlap(first: Lists, second: Lists, *, persistence: float = 0.9) -> NDArray[np.float64]:
    """Overlap at every depth, weighted by how likely a reader gets that far, extrapolated beyond the last rank.

    Source: Webber, Moffat and Zobel 2010, A Similarity Measure for Indefinite Rankings, equation 23.

    Args:
        first: Shape (B, K), item numbers, -1 where a list is shorter.
        second: Shape (B, K).
        persistence: p, the chance to look at the next rank.

    Returns:
        Shape (B,), in [0, 1]; each row to the depth of its longer list, 1 for two empty ones.

    >>> rank_biased_overlap(np.array([[1, 2], [1, 2]]), np.array([[1, 2], [2, 1]])).round(2).tolist()
    [1.0, 0.9]
    """
    shared, depth = _shared(first, second), np.arange(1, first.shape[1] + 1)
    longest = np.maximum((first >= 0).sum(1), (second >= 0).sum(1))[:, None]
    within = np.maximum(depth[:, None], depth[None, :])
    agreed = np.stack([(shared & (within <= d)).sum((1, 2)) for d in depth], axis=1)  # (B, K)
    is_there = depth <= longest
    weighted = (agreed / depth * persistence**depth * is_there).sum(1) * (1 - persistence) / persistence
    last = agreed[:, -1] / np.maximum(longest[:, 0], 1)
    return np.where(longest[:, 0] > 0, weighted + last * persistence ** longest[:, 0], 1.0)


def _shared(first: Lists, second: Lists) -> NDArray[np.bool_]:
    """Which rank of one list holds the item of which rank of the other. Shape (B, K, K)."""
    return np.asarray((first[:, :, None] == second[:, None, :]) & (first[:, :, None] >= 0), np.bool_)
