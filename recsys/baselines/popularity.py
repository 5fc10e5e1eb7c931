"""The most popular items, for everyone: of all time, or of the last days."""

import numpy as np
from numpy.typing import NDArray

from recsys.baselines.train_matrix import BaselineData

_DAY_MICROSECONDS = 86_400_000_000


def popularity_scores(data: BaselineData) -> NDArray[np.float64]:
    """Each item's number of users. Shape (I,)."""
    return data.taken.popularity()


def recent_popularity_scores(data: BaselineData, *, window_days: float) -> NDArray[np.float64]:
    """Each item's events in the last days before the last event that is known; older popularity breaks ties.

    Args:
        data: Events and their times.
        window_days: Length of the window in days.

    Returns:
        Shape (I,).
    """
    is_recent = data.time > data.time.max() - window_days * _DAY_MICROSECONDS
    recent = np.bincount(data.item_idx[is_recent], minlength=data.n_items)
    total = np.bincount(data.item_idx, minlength=data.n_items)
    return np.asarray(recent + total / (len(data.item_idx) + 1), np.float64)
