"""The most popular items of the last days of train, for everyone; older popularity breaks ties."""

import numpy as np
from numpy.typing import NDArray

from recsys.baselines.ranking import ScoreBlock, Scores
from recsys.baselines.train_matrix import BaselineData

_DAY_MICROSECONDS = 86_400_000_000


def recent_popularity_scores(data: BaselineData, *, window_days: float) -> ScoreBlock:
    """Each item's place by its events in the last `window_days` before the last train event, then by all its events.

    Args:
        data: Train events and their times.
        window_days: Length of the window in days.
    """
    n_items = data.train.shape[1]
    item, time = data.item_times[:, 0], data.item_times[:, 1]
    is_recent = time > time.max() - window_days * _DAY_MICROSECONDS
    recent = np.bincount(item[is_recent], minlength=n_items)
    pairs = np.stack([recent, np.bincount(item, minlength=n_items)], axis=1)
    place = np.unique(pairs, axis=0, return_inverse=True)[1].ravel()

    def score(user_idx: NDArray[np.int64]) -> Scores:
        return np.broadcast_to(place, (len(user_idx), n_items))

    return score
