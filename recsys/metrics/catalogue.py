"""Metrics of what is recommended at all, beyond whether it is right."""

import numpy as np
from numpy.typing import NDArray

from recsys.metrics.relevance import Values


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


def novelty(item_idx: NDArray[np.integer], share: NDArray[np.float64], *, k: int) -> Values:
    """Mean surprise of a user's first k items: -log2 of the share of train events that an item has.

    Args:
        item_idx: Shape (U, K), -1 where a list is short.
        share: Shape (I,), each item's share of train events.
        k: The first k ranks count.

    Returns:
        Shape (U,), in bits.

    Source: Zhou et al., "Solving the apparent diversity-accuracy dilemma", PNAS 2010, eq. 5.

    >>> novelty(np.array([[0, 1], [1, -1]]), np.array([0.5, 0.25]), k=2)
    array([1.5, 2. ])
    """
    within = item_idx[:, :k]
    bits = -np.log2(np.maximum(share, 1e-12))
    listed = within >= 0
    summed = np.where(listed, bits[np.maximum(within, 0)], 0).sum(1)
    return np.asarray(summed / np.maximum(listed.sum(1), 1), np.float64)
