"""Where candidates come from: the user's vector, the items seen last, or one order for all."""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from recsys.candidates.fusion import fuse
from recsys.index.filters import SeenItems
from recsys.index.nearest import Nearest, Neighbours, Vectors

SourceName = Literal["two_tower", "item_to_item", "recent_popularity", "fresh"]
_LAST_ITEMS = 3
_DAY_SECONDS = 86_400


class Source(Protocol):
    """One way to find candidates."""

    def find(
        self,
        user_idx: NDArray[np.int64],
        *,
        k: int,
        seen: SeenItems,
        allowed: NDArray[np.bool_] | None,
        keeps_seen: bool = False,
    ) -> Neighbours:
        """Lists of unseen, allowed items for users, shape (B, k); of all allowed ones if what was seen is kept."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoTowerSource:
    """The items nearest to the user's vector."""

    index: Nearest
    users: Vectors

    def find(
        self,
        user_idx: NDArray[np.int64],
        *,
        k: int,
        seen: SeenItems,
        allowed: NDArray[np.bool_] | None,
        keeps_seen: bool = False,
    ) -> Neighbours:
        """See `Source.find`."""
        return self.index.search(np.array(self.users[user_idx]), k=k, seen=None if keeps_seen else seen, allowed=allowed)


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemToItemSource:
    """The items nearest to each of the last three items of the user, fused."""

    index: Nearest
    items: Vectors

    def find(
        self,
        user_idx: NDArray[np.int64],
        *,
        k: int,
        seen: SeenItems,
        allowed: NDArray[np.bool_] | None,
        keeps_seen: bool = False,
    ) -> Neighbours:
        """See `Source.find`. A user without items gets an empty list."""
        lists = []
        for back in range(1, _LAST_ITEMS + 1):
            answer = Neighbours.empty(len(user_idx), k)
            rows = np.flatnonzero(seen.counts() >= back)
            if len(rows):
                last = np.asarray(seen.item_idx[np.asarray(seen.ends)[rows] - back])
                filtered = None if keeps_seen else seen.rows(rows)
                found = self.index.search(np.array(self.items[last]), k=k, seen=filtered, allowed=allowed)
                answer.item_idx[rows], answer.score[rows] = found.item_idx, found.score
            lists.append(answer)
        return fuse(lists, k=k, quotas=[0] * len(lists)).lists


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderedSource:
    """The first unseen items of one order.

    Attributes:
        order: Shape (N,) item idx, best first.
    """

    order: NDArray[np.int32]

    def find(
        self,
        user_idx: NDArray[np.int64],
        *,
        k: int,
        seen: SeenItems,
        allowed: NDArray[np.bool_] | None,
        keeps_seen: bool = False,
    ) -> Neighbours:
        """See `Source.find`. The score is 1 over the rank in the order."""
        order = self.order if allowed is None else self.order[allowed[self.order]]
        seen = seen.nothing() if keeps_seen else seen
        row, item = seen.pairs()
        answer = Neighbours.empty(len(user_idx), k)
        order = order[: k + int(seen.counts().max(initial=0))]
        n_items = int(max(order.max(initial=0), item.max(initial=0))) + 1
        keys = np.arange(len(user_idx))[:, None] * n_items + order[None, :]
        is_kept = ~np.isin(keys, row * n_items + item)
        rank = np.argsort(~is_kept, axis=1, kind="stable")[:, :k]
        kept = np.take_along_axis(is_kept, rank, 1)
        width = rank.shape[1]
        answer.item_idx[:, :width] = np.where(kept, order[rank] if len(order) else -1, -1)
        answer.score[:, :width] = np.where(kept, 1 / (1 + rank), -np.inf)
        return answer


def recent_order(
    item_idx: NDArray[np.integer], timestamp: NDArray[np.integer], *, n_items: int, days: float
) -> NDArray[np.int32]:
    """All items with an event in the last days before the last event, most events first.

    Args:
        item_idx: Shape (E,).
        timestamp: Shape (E,), seconds.
        n_items: I.
        days: Length of the window.
    """
    is_recent = timestamp > timestamp.max(initial=0) - days * _DAY_SECONDS
    counts = np.bincount(item_idx[is_recent], minlength=n_items)
    order = np.argsort(-counts, kind="stable")
    return np.asarray(order[counts[order] > 0], np.int32)


def fresh_order(
    item_idx: NDArray[np.integer], timestamp: NDArray[np.integer], *, n_items: int, days: float
) -> NDArray[np.int32]:
    """Items whose first event lies in the last days before the last event, newest first.

    Args:
        item_idx: Shape (E,).
        timestamp: Shape (E,), seconds.
        n_items: I.
        days: Length of the window.
    """
    first = np.full(n_items, np.iinfo(np.int64).max)
    np.minimum.at(first, item_idx, timestamp.astype(np.int64))
    end = timestamp.max(initial=0)
    order = np.argsort(-first, kind="stable")
    is_fresh = (first[order] > end - days * _DAY_SECONDS) & (first[order] <= end)
    return np.asarray(order[is_fresh], np.int32)
