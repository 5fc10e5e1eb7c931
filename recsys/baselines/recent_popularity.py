"""The most popular items of the last days of train, for everyone; older popularity breaks ties."""

import numpy as np
from numpy.typing import NDArray

from recsys.baselines.train_matrix import BaselineData

_DAY_MICROSECONDS = 86_400_000_000


def recent_popularity_scores(data: BaselineData, *, window_days: float) -> NDArray[np.float64]:
    """Each item's events in the last `window_days` before the last train event, plus a fraction for all its events.

    Args:
        data: Train events and their times.
        window_days: Length of the window in days.

    Returns:
        Shape (I,).
    """
    n_items = data.train.shape[1]
    item, time = data.item_times[:, 0], data.item_times[:, 1]
    is_recent = time > time.max() - window_days * _DAY_MICROSECONDS
    recent = np.bincount(item[is_recent], minlength=n_items)
    return np.asarray(recent + np.bincount(item, minlength=n_items) / (len(item) + 1), np.float64)
