"""The most popular items of train, for everyone."""

import numpy as np
from numpy.typing import NDArray

from recsys.baselines.ranking import ScoreBlock, Scores
from recsys.baselines.train_matrix import BaselineData


def popularity_scores(data: BaselineData) -> ScoreBlock:
    """Each item's number of train users."""
    counts = np.asarray(data.train.sum(0)).ravel()

    def score(user_idx: NDArray[np.int64]) -> Scores:
        return np.broadcast_to(counts, (len(user_idx), len(counts)))

    return score
