"""Events of one moment are a set: no order among them is learned, and none of them is predicted from another.

A row holds the moments of a window, ascending: shape (B, W), equal numbers for events of one moment. Numpy alone.
"""

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def shuffle_within(moments: Ints, *, rng: np.random.Generator) -> Ints:
    """Another order of each row in which moments still ascend, each order of a moment's events as likely.

    Args:
        moments: Shape (B, W), ascending along a row.
        rng: Draws the order.

    Returns:
        Shape (B, W), the position in its row that each position takes its event from.
    """
    return np.argsort(moments + rng.random(moments.shape), axis=1)


def positions_before(moments: Ints) -> Ints:
    """The last position before each position's own moment.

    Args:
        moments: Shape (B, W), ascending along a row.

    Returns:
        Shape (B, W); -1 where the row begins with that moment.

    >>> positions_before(np.array([[4, 4, 5, 7, 7]])).tolist()
    [[-1, -1, 1, 2, 2]]
    """
    positions = np.arange(moments.shape[1])
    is_first = np.ones(moments.shape, bool)
    is_first[:, 1:] = moments[:, 1:] != moments[:, :-1]
    return np.maximum.accumulate(np.where(is_first, positions, 0), axis=1) - 1


def positions_after(moments: Ints) -> Ints:
    """The first position after each position's own moment.

    Args:
        moments: Shape (B, W), ascending along a row.

    Returns:
        Shape (B, W); W where the row ends with that moment.

    >>> positions_after(np.array([[4, 4, 5, 7, 7]])).tolist()
    [[2, 2, 3, 5, 5]]
    """
    width = moments.shape[1]
    positions: Ints = width - 1 - positions_before(-moments[:, ::-1])[:, ::-1]
    return positions
