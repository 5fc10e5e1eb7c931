"""What the user has taken before: often, lately, or both. Where people buy again, the rule that is hard to beat."""

import numpy as np
from scipy.sparse import csr_matrix

from recsys.baselines.fitted import ByUser
from recsys.baselines.ranking import Ranker, rank_by
from recsys.baselines.train_matrix import BaselineData


def fit_own_history(data: BaselineData, *, half_life: float | None) -> csr_matrix:
    """An item scores the number of times that its user took it, each counting half after so many later events.

    Args:
        data: Events in their order.
        half_life: Later events at which one counts half; None counts all alike.

    Returns:
        Shape (U, I).

    Source: personal frequency with recency: Hu et al., "Modeling Personalized Item Frequency Information for Next-basket
        Recommendation", SIGIR 2020, section 3; recency by exponential decay: Anderson et al., "The Dynamics of Repeat
        Consumption", WWW 2014.
    """
    user, weight = data.user_idx, np.ones(len(data.item_idx), np.float32)
    if half_life is not None:
        n_until = np.cumsum(np.bincount(data.moment))[data.moment]  # events up to the end of each event's moment
        weight = np.exp2(-(data.offsets[user + 1] - n_until) / half_life).astype(np.float32)
    return csr_matrix((weight, (user, data.item_idx)), shape=data.taken.history.shape)


def own_history_ranker(data: BaselineData, scores: csr_matrix) -> Ranker:
    """The user's own items by score, then popular ones.

    Args:
        data: The histories.
        scores: Shape (U, I), from `fit_own_history`.
    """
    return rank_by(data.taken, ByUser(scores=scores))
