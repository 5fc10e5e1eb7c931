"""Random items: the floor of every metric, and of nothing else."""

import numpy as np
from numpy.typing import NDArray

from recsys.baselines.ranking import Ranker, walking_ranker
from recsys.baselines.train_matrix import BaselineData
from recsys.core.random import rng_for

_LONGEST = 1_000  # a shorter list is the head of a longer one up to here


def random_ranker(data: BaselineData, *, seed: int) -> Ranker:
    """Items drawn without replacement, the same for a user whichever block it is in."""

    def walk(user: int, n: int) -> NDArray[np.int64]:
        n_drawn = min(max(n, _LONGEST), data.n_items)
        return rng_for(seed, "random baseline", user).choice(data.n_items, n_drawn, replace=False)

    return walking_ranker(data.taken, walk)
