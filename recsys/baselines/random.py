"""Random order: the floor of every metric, and of nothing else."""

import numpy as np
from numpy.typing import NDArray

from recsys.baselines.ranking import ScoreBlock, Scores
from recsys.baselines.train_matrix import BaselineData
from recsys.core.random import rng_for


def random_scores(data: BaselineData, *, seed: int) -> ScoreBlock:
    """Scores drawn uniformly, the same for a user whichever block it is in."""
    n_items = data.train.shape[1]

    def score(user_idx: NDArray[np.int64]) -> Scores:
        return np.stack([rng_for(seed, "random baseline", int(user)).random(n_items) for user in user_idx])

    return score
