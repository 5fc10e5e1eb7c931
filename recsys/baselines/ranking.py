"""Scores to lists, the same way for every baseline: seen items out, best first, k rows a user."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsys.baselines.train_matrix import BaselineData
from recsys.index.nearest import Neighbours

Scores = NDArray[np.floating[Any]]
ScoreBlock = Callable[[NDArray[np.int64]], Scores]
Lists = Iterator[tuple[NDArray[np.int64], Neighbours]]
_BLOCK_SCORES = 1 << 24


def rank_unseen(data: BaselineData, score_block: ScoreBlock, *, k: int) -> Lists:
    """Rank the catalogue for every user in blocks of bounded memory. Equal scores keep the order of item idx.

    Args:
        data: Users and what they have seen.
        score_block: user_idx of shape (B,) to scores of shape (B, I).
        k: Length of the lists.

    Yields:
        user_idx of shape (B,) and their neighbours of shape (B, k).
    """
    n_users, n_items = data.history.shape
    rows = max(1, _BLOCK_SCORES // n_items)
    for begin in range(0, n_users, rows):
        user_idx = np.arange(begin, min(begin + rows, n_users))
        scores = np.array(score_block(user_idx), np.float32)
        seen = data.history[user_idx].tocoo()
        scores[seen.row, seen.col] = -np.inf
        yield user_idx, top_k(scores, k=k)


def rank_same_for_all(data: BaselineData, scores: NDArray[np.floating[Any]], *, k: int) -> Lists:
    """As `rank_unseen` for scores that do not depend on the user: sorted once, then the first k unseen of each user.

    Args:
        data: Users and what they have seen.
        scores: Shape (I,).
        k: Length of the lists.
    """
    order = np.argsort(-np.asarray(scores), kind="stable").astype(np.int32)
    place = np.argsort(order)
    n_users, n_items = data.history.shape
    n_seen = np.diff(data.history.indptr)
    rows = max(1, _BLOCK_SCORES // min(n_items, k + int(n_seen.max(initial=0))))
    for begin in range(0, n_users, rows):
        user_idx = np.arange(begin, min(begin + rows, n_users))
        width = min(n_items, k + int(n_seen[user_idx].max(initial=0)))
        seen = data.history[user_idx].tocoo()
        is_free = np.ones((len(user_idx), width), bool)
        near = place[seen.col] < width
        is_free[seen.row[near], place[seen.col[near]]] = False
        kept = is_free & (is_free.cumsum(1) <= k)
        row, column = np.nonzero(kept)
        item_idx = np.full((len(user_idx), k), -1, np.int32)
        score = np.full((len(user_idx), k), -np.inf, np.float32)
        rank = np.arange(len(row)) - np.repeat(np.cumsum(kept.sum(1)) - kept.sum(1), kept.sum(1))
        item_idx[row, rank], score[row, rank] = order[column], np.asarray(scores, np.float32)[order[column]]
        yield user_idx, Neighbours(item_idx=item_idx, score=score)


def top_k(scores: NDArray[np.float32], *, k: int) -> Neighbours:
    """The k best columns of each row, best first; equal scores in the order of the columns.

    Args:
        scores: Shape (B, I); -inf is never returned.
        k: At most I.

    >>> top_k(np.array([[1.0, 3.0, 3.0]], np.float32), k=2).item_idx.tolist()
    [[1, 2]]
    """
    k = min(k, scores.shape[1])
    bound = -np.partition(-scores, k - 1, axis=1)[:, k - 1 : k]
    # Columns at the bound enter in order until the list is full, so that ties are not left to the partition.
    above, at = scores > bound, scores == bound
    room = k - above.sum(1, keepdims=True)
    chosen = above | (at & (at.cumsum(1) <= room))
    columns = np.nonzero(chosen)[1].reshape(len(scores), k)
    values = np.take_along_axis(scores, columns, 1)
    order = np.argsort(-values, axis=1, kind="stable")
    item_idx, score = np.take_along_axis(columns, order, 1), np.take_along_axis(values, order, 1)
    return Neighbours(item_idx=np.where(np.isneginf(score), -1, item_idx).astype(np.int32), score=score)
