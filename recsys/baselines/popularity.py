"""The most popular items of train, for everyone."""

import numpy as np
from numpy.typing import NDArray

from recsys.baselines.train_matrix import BaselineData


def popularity_scores(data: BaselineData) -> NDArray[np.float64]:
    """Each item's number of train users. Shape (I,)."""
    return np.asarray(data.train.sum(0), np.float64).ravel()
