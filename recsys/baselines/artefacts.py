"""Rules that say nothing of anybody's taste: the next ids in sort order, the next rows among those of one time.

Where one of them finds what is held out, the log or the protocol gives its order away, and so may a model learn it.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix

from recsys.baselines.ranking import Ranker, sparse_ranker, walking_ranker
from recsys.baselines.train_matrix import BaselineData


def next_in_order_ranker(data: BaselineData, order: NDArray[np.integer]) -> Ranker:
    """The items that follow the last item of each history in some order of the catalogue, the nearest first, around its end.

    Args:
        data: The histories.
        order: Shape (I,), the items in that order.
    """
    rank = np.empty(data.n_items, np.int64)
    rank[order] = np.arange(data.n_items)
    last = rank[data.last_item]  # (U,)

    def walk(user: int, n: int) -> NDArray[np.integer[Any]]:
        ahead: NDArray[np.integer[Any]] = order[(last[user] + 1 + np.arange(min(n, data.n_items))) % data.n_items]
        return ahead

    return walking_ranker(data.taken, walk)


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
    is_tied = data.moment[1:] == data.moment[:-1]
    upper, lower = data.item_idx[:-1][is_tied], data.item_idx[1:][is_tied]
    pairs = (lower, upper) if is_backwards else (upper, lower)
    below = coo_matrix((np.ones(len(upper), np.float32), pairs), shape=(data.n_items, data.n_items)).tocsr()
    last = data.last_item
    return sparse_ranker(data.taken, lambda user_idx: below[last[user_idx]])
