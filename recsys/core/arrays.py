"""Arrays of integers."""

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T", bound=np.integer[Any])


def distinct(values: NDArray[T]) -> NDArray[T]:
    """Each value once, ascending.

    As `np.unique`, which has hashed its values since NumPy 2.3 and takes 70 times as long for three million of them.

    Args:
        values: Shape (N,).

    >>> distinct(np.array([3, 1, 3]))
    array([1, 3])
    """
    ordered = np.sort(values)
    is_new = np.ones(len(ordered), bool)
    is_new[1:] = ordered[1:] != ordered[:-1]
    kept: NDArray[T] = ordered[is_new]
    return kept
