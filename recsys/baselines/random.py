"""Random items: the floor of every metric, and of nothing else."""

import numpy as np
from numpy.typing import NDArray

from recsys.baselines.ranking import Ranker
from recsys.baselines.train_matrix import BaselineData
from recsys.core.random import rng_for
from recsys.index.nearest import Neighbours

_ROWS = 4096
_LONGEST = 1_000  # a shorter list is the head of a longer one up to here


def random_ranker(data: BaselineData, *, seed: int) -> Ranker:
    """Items drawn without replacement, the same for a user whichever block it is in."""

    def rank(user_idx: NDArray[np.int64], k: int, keeps_seen: bool) -> Neighbours:
        item_idx = np.full((len(user_idx), k), -1, np.int32)
        for row, user in enumerate(user_idx):
            taken = data.history.indices[data.history.indptr[user] : data.history.indptr[user + 1]]
            n_drawn = min(max(k, _LONGEST) + len(taken), data.n_items)
            drawn = rng_for(seed, "random baseline", int(user)).choice(data.n_items, n_drawn, replace=False)
            kept = drawn[:k] if keeps_seen else drawn[~np.isin(drawn, taken)][:k]
            item_idx[row, : len(kept)] = kept
        rank = -np.arange(k, dtype=np.float32)
        return Neighbours(item_idx=item_idx, score=np.where(item_idx < 0, -np.inf, rank).astype(np.float32))

    return Ranker(rank=rank, rows=_ROWS)
