"""Rules that say nothing of anybody's taste: the next ids in sort order, the next rows among those of one time.

Where one of them finds what is held out, the log or the protocol gives its order away, and so may a model learn it.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix

from recsys.baselines.ranking import Ranker, sparse_ranker
from recsys.baselines.train_matrix import BaselineData
from recsys.index.nearest import Neighbours

_ROWS = 4096


def next_in_order_ranker(data: BaselineData, order: NDArray[np.integer]) -> Ranker:
    """The items that follow the last item of each history in some order of the catalogue, the nearest first, around its end.

    Args:
        data: The histories.
        order: Shape (I,), the items in that order.
    """
    place = np.empty(data.n_items, np.int64)
    place[order] = np.arange(data.n_items)

    def rank(user_idx: NDArray[np.int64], k: int, keeps_seen: bool) -> Neighbours:
        item_idx = np.full((len(user_idx), k), -1, np.int32)
        for row, user in enumerate(user_idx):
            taken = data.history.indices[data.history.indptr[user] : data.history.indptr[user + 1]]
            last = place[data.item_idx[data.offsets[user + 1] - 1]]
            n_ahead = min(k + (0 if keeps_seen else len(taken)), data.n_items)
            ahead = order[(last + 1 + np.arange(n_ahead)) % data.n_items]
            kept = ahead[:k] if keeps_seen else ahead[~np.isin(ahead, taken)][:k]
            item_idx[row, : len(kept)] = kept
        rank = -np.arange(k, dtype=np.float32)
        return Neighbours(item_idx=item_idx, score=np.where(item_idx < 0, -np.inf, rank).astype(np.float32))

    return Ranker(rank=rank, rows=_ROWS)


def order_of_ids(data: BaselineData) -> NDArray[np.int64]:
    """Item idx in the order of their ids: as numbers if all are whole numbers, else as text. Shape (I,)."""
    ids = data.items.ids.to_list()
    try:
        return np.argsort(np.array([int(identifier) for identifier in ids]), kind="stable")
    except (ValueError, OverflowError):
        return np.arange(len(ids))  # the vocabulary is sorted as text


def next_row_ranker(data: BaselineData, *, is_backwards: bool = False) -> Ranker:
    """The items that most often stand right below the user's last item among rows of one user and time; then the popular ones.

    A log whose order means nothing there has as much to tell backwards.

    Args:
        data: Events in the order of the table.
        is_backwards: Whether to take the items right above.
    """
    user = np.repeat(np.arange(len(data.users)), np.diff(data.offsets))
    is_tied = (user[1:] == user[:-1]) & (data.time[1:] == data.time[:-1])
    upper, lower = data.item_idx[:-1][is_tied], data.item_idx[1:][is_tied]
    pairs = (lower, upper) if is_backwards else (upper, lower)
    below = coo_matrix((np.ones(len(upper), np.float32), pairs), shape=(data.n_items, data.n_items)).tocsr()
    last = data.item_idx[data.offsets[1:] - 1]  # (U,)
    return sparse_ranker(data, lambda user_idx: below[last[user_idx]])
