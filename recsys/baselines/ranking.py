"""Scores to lists, the same way for every baseline: best first, what was taken left out or not, popular items at the end."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from recsys.baselines.fitted import ByFactors, ByItems, ByOrder, ByUser, Fitted
from recsys.baselines.train_matrix import UserItems
from recsys.index.nearest import Neighbours

Scores = NDArray[np.floating[Any]]
ScoreBlock = Callable[[NDArray[np.int64]], Scores]
SparseBlock = Callable[[NDArray[np.int64]], csr_matrix]
Lists = Iterator[tuple[NDArray[np.int64], Neighbours]]
_BLOCK_SCORES = 1 << 24
_SPARSE_ROWS = 2048


class Rank(Protocol):
    """How lists are made."""

    def __call__(
        self, user_idx: NDArray[np.int64], k: int, keeps_seen: bool, allowed: NDArray[np.bool_] | None = None
    ) -> Neighbours:
        """Lists of shape (B, K) for users of shape (B,).

        Args:
            user_idx: Who is asked for.
            k: Length of the lists.
            keeps_seen: Whether items that a user has taken may be in the list.
            allowed: Shape (I,), the items that may be in a list at all; None allows all.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranker:
    """A baseline that can be asked.

    Attributes:
        rank: Users to lists.
        rows: For how many users at a time memory stays bounded.
        fitted: What it ranks by, where that can be put on file.
    """

    rank: Rank
    rows: int
    fitted: Fitted | None = None

    def lists(self, n_users: int, *, k: int, keeps_seen: bool = False) -> Lists:
        """Lists of all users, block by block.

        Yields:
            user_idx of shape (B,) and their lists of shape (B, K).
        """
        for begin in range(0, n_users, self.rows):
            user_idx = np.arange(begin, min(begin + self.rows, n_users))
            yield user_idx, self.rank(user_idx, k, keeps_seen)


def rank_by(taken: UserItems, fitted: Fitted) -> Ranker:
    """Rank by a fitted baseline.

    Args:
        taken: Users and what they have taken.
        fitted: What was fitted, here or elsewhere.
    """
    match fitted:
        case ByItems(similarity=similarity, half_life=half_life):
            weights = taken.weights(half_life)
            ranker = sparse_ranker(taken, lambda user_idx: weights[user_idx] @ similarity)
        case ByUser(scores=by_user):
            ranker = sparse_ranker(taken, lambda user_idx: by_user[user_idx])
        case ByFactors(users=users, items=items):
            ranker = dense_ranker(taken, lambda user_idx: np.asarray(users[user_idx] @ items.T))
        case ByOrder(scores=scores):
            ranker = same_for_all_ranker(taken, scores)
    return replace(ranker, fitted=fitted)


def dense_ranker(taken: UserItems, score_block: ScoreBlock) -> Ranker:
    """Rank the catalogue by scores of all items. Equal scores keep the order of item idx.

    Args:
        taken: Users and what they have taken.
        score_block: user_idx of shape (B,) to scores of shape (B, I).
    """

    def rank(user_idx: NDArray[np.int64], k: int, keeps_seen: bool, allowed: NDArray[np.bool_] | None = None) -> Neighbours:
        scores = np.array(score_block(user_idx), np.float32)
        if not keeps_seen:
            seen = taken.history[user_idx].tocoo()
            scores[seen.row, seen.col] = -np.inf
        if allowed is not None:
            scores[:, ~allowed] = -np.inf
        return top_k(scores, k=k)

    return Ranker(rank=rank, rows=max(1, _BLOCK_SCORES // taken.n_items))


def sparse_ranker(taken: UserItems, score_block: SparseBlock) -> Ranker:
    """Rank the items that have a score, best first; popular items fill the rest of a list.

    Args:
        taken: Users and what they have taken.
        score_block: user_idx of shape (B,) to scores of shape (B, I), none below 0; what has no entry scores 0.
    """
    popularity = taken.popularity()
    popular = np.argsort(-popularity, kind="stable").astype(np.int32)
    below_zero = ((popularity - popularity.max(initial=0) - 1) / (popularity.max(initial=0) + 2)).astype(np.float32)

    def rank(user_idx: NDArray[np.int64], k: int, keeps_seen: bool, allowed: NDArray[np.bool_] | None = None) -> Neighbours:
        scores = csr_matrix(score_block(user_idx))
        order = popular if allowed is None else popular[allowed[popular]]
        item_idx, score = np.full((len(user_idx), k), -1, np.int32), np.full((len(user_idx), k), -np.inf, np.float32)
        for row, user in enumerate(user_idx):
            own = slice(scores.indptr[row], scores.indptr[row + 1])
            seen = taken.items_of(user)
            items, values = scores.indices[own], scores.data[own]
            is_kept = values > 0
            if not keeps_seen:
                is_kept &= ~np.isin(items, seen)
            if allowed is not None:
                is_kept &= allowed[items]
            items, values = _best(items[is_kept], values[is_kept], k=k)
            if len(items) < k:
                listed = items if keeps_seen else np.concatenate([items, seen])
                head = order[: k + len(listed)]
                more = head[~np.isin(head, listed)][: k - len(items)]
                items, values = np.concatenate([items, more]), np.concatenate([values, below_zero[more]])
            item_idx[row, : len(items)], score[row, : len(items)] = items, values
        return Neighbours(item_idx=item_idx, score=score)

    return Ranker(rank=rank, rows=_SPARSE_ROWS)


def _best(items: NDArray[np.int32], values: NDArray[np.float32], *, k: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The k best, best first; equal values in the order of the items."""
    if len(items) > k:
        bound = -np.partition(-values, k - 1)[k - 1]
        near = values >= bound
        items, values = items[near], values[near]
    order = np.lexsort((items, -values))[:k]
    return items[order], values[order]


def same_for_all_ranker(taken: UserItems, scores: NDArray[np.floating[Any]]) -> Ranker:
    """As `dense_ranker` for scores that do not depend on the user: sorted once, then the first k unseen of each user.

    Args:
        taken: Users and what they have taken.
        scores: Shape (I,).
    """
    of_all, rank_of_all = _ordered(np.argsort(-np.asarray(scores), kind="stable").astype(np.int32), taken.n_items)

    def rank(user_idx: NDArray[np.int64], k: int, keeps_seen: bool, allowed: NDArray[np.bool_] | None = None) -> Neighbours:
        order, rank_of = (of_all, rank_of_all) if allowed is None else _ordered(of_all[allowed[of_all]], taken.n_items)
        n_seen = 0 if keeps_seen else int(np.diff(taken.history.indptr)[user_idx].max(initial=0))
        width = min(len(order), k + n_seen)
        is_free = np.ones((len(user_idx), width), bool)
        if not keeps_seen:
            seen = taken.history[user_idx].tocoo()
            near = rank_of[seen.col] < width
            is_free[seen.row[near], rank_of[seen.col[near]]] = False
        kept = is_free & (is_free.cumsum(1) <= k)
        row, column = np.nonzero(kept)
        item_idx = np.full((len(user_idx), k), -1, np.int32)
        score = np.full((len(user_idx), k), -np.inf, np.float32)
        rank = np.arange(len(row)) - np.repeat(np.cumsum(kept.sum(1)) - kept.sum(1), kept.sum(1))
        item_idx[row, rank], score[row, rank] = order[column], scores[order[column]]
        return Neighbours(item_idx=item_idx, score=score)

    longest = int(np.diff(taken.history.indptr).max(initial=0)) + 100
    return Ranker(rank=rank, rows=max(1, _BLOCK_SCORES // min(taken.n_items, longest)))


def _ordered(order: NDArray[np.int32], n_items: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Items in order, and the rank of each item; that of one that is not among them is I."""
    rank_of = np.full(n_items, n_items)
    rank_of[order] = np.arange(len(order))
    return order, rank_of


def walking_ranker(taken: UserItems, walk: Callable[[int, int], NDArray[np.integer[Any]]]) -> Ranker:
    """The first items of a walk through the catalogue, each user's own.

    Args:
        taken: Users and what they have taken.
        walk: A user_idx and a number to at least so many different items, or all there are, in order.
    """

    def rank(user_idx: NDArray[np.int64], k: int, keeps_seen: bool, allowed: NDArray[np.bool_] | None = None) -> Neighbours:
        item_idx = np.full((len(user_idx), k), -1, np.int32)
        for row, user in enumerate(user_idx.tolist()):
            seen = taken.items_of(user)
            items = walk(user, taken.n_items if allowed is not None else k + len(seen))
            items = items if keeps_seen else items[~np.isin(items, seen)]
            kept = (items if allowed is None else items[allowed[items]])[:k]
            item_idx[row, : len(kept)] = kept
        score = np.where(item_idx < 0, -np.inf, -np.arange(k)).astype(np.float32)
        return Neighbours(item_idx=item_idx, score=score)

    return Ranker(rank=rank, rows=_SPARSE_ROWS)


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
