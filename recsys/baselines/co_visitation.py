"""What is taken soon after what: counts of neighbours in time, asked by the last items. A window of 1 is a Markov chain."""

from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix, vstack

from recsys.baselines.fitted import ByItems
from recsys.baselines.item_similarity import keep_largest
from recsys.baselines.ranking import Ranker, rank_by
from recsys.baselines.train_matrix import BaselineData

Normalisation = Literal["share", "cosine"]
_MOST_APART = 30


def fit_co_visitation(
    data: BaselineData, *, window: int, normalisation: Normalisation, block_events: int = 1_000_000
) -> csr_matrix:
    """How often each item followed each other one within some moments, a pair d moments apart counting 1 / d.

    Events of one moment have no order: they are one moment apart, either way. Between two events lie fewer than 30.

    Args:
        data: Events in their order.
        window: The most moments apart.
        normalisation: `share`: of all that followed the first item. `cosine`: by the square roots of both items' events.
        block_events: Events whose followers are counted at once; memory grows with them.

    Returns:
        Shape (I, I), row: the item of the history; of each row the 200 largest entries.

    Source: item-to-item counts in a window: Linden, Smith and York, "Amazon.com Recommendations", IEEE Internet Computing 2003;
        first-order transitions: Rendle et al., "Factorizing Personalized Markov Chains", WWW 2010, eq. 4.
    """
    n_events = np.bincount(data.item_idx, minlength=data.n_items).astype(np.float32)
    block = np.cumsum(n_events, dtype=np.float64) // block_events
    edges = [0, *(np.flatnonzero(np.diff(block)) + 1).tolist(), data.n_items]
    return vstack(
        [_fit_rows(data, n_events, window, normalisation, begin, end) for begin, end in pairwise(edges)], format="csr"
    )


def co_visitation_ranker(data: BaselineData, followers: csr_matrix, *, half_life: float) -> Ranker:
    """An item scores by how often it followed the items of the user's history, the last ones before all.

    Args:
        data: The histories.
        followers: Shape (I, I), from `fit_co_visitation`.
        half_life: Later events at which an item of the history counts half.
    """
    return rank_by(data.taken, ByItems(similarity=followers, half_life=half_life))


def _fit_rows(
    data: BaselineData, n_events: NDArray[np.float32], window: int, normalisation: Normalisation, begin: int, end: int
) -> csr_matrix:
    """The rows of some first items. Shape (R, I)."""
    counts = _count(data, window, begin, end)
    followed = np.asarray(counts.sum(1)).ravel().astype(np.float32)

    def rescale(row: NDArray[np.int64], column: NDArray[np.int32], count: NDArray[np.float32]) -> NDArray[np.float32]:
        if normalisation == "share":
            return np.asarray(count / followed[row], np.float32)
        return np.asarray(count / np.sqrt(n_events[begin + row] * n_events[column]), np.float32)

    return keep_largest(counts, rescale=rescale)


def _count(data: BaselineData, window: int, begin: int, end: int) -> csr_matrix:
    """Weighted pairs whose first item is one of some. Shape (R, I)."""
    user, moment = data.user_idx, data.moment
    is_own = (data.item_idx >= begin) & (data.item_idx < end)
    total = csr_matrix((end - begin, data.n_items), dtype=np.float32)
    for apart in range(1, min(_MOST_APART, len(user) - 1) + 1):
        distance = moment[apart:] - moment[:-apart]
        is_near = (user[:-apart] == user[apart:]) & (distance <= window) & (data.item_idx[:-apart] != data.item_idx[apart:])
        if not is_near.any():
            break
        for first, second, is_first in (
            (data.item_idx[:-apart], data.item_idx[apart:], is_near & is_own[:-apart]),
            (data.item_idx[apart:], data.item_idx[:-apart], is_near & (distance == 0) & is_own[apart:]),
        ):
            weight = (1 / np.maximum(distance[is_first], 1)).astype(np.float32)
            entries = (weight, (first[is_first] - begin, second[is_first]))
            total = total + coo_matrix(entries, shape=total.shape).tocsr()
    return total
