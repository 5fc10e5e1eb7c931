"""One order of items for all users: what is new."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.candidates.sources.source import Opened, Request, Source
from recsys.index.nearest import Neighbours

_DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderedSource:
    """The first unseen items of one order.

    Attributes:
        order: Shape (N,) item idx, best first.
    """

    order: NDArray[np.int32]

    def find(self, asked: Request) -> Neighbours:
        """See `Source.find`. The score is 1 over the rank in the order."""
        order, k = self.order if asked.allowed is None else self.order[asked.allowed[self.order]], asked.k
        seen = asked.seen.nothing() if asked.keeps_seen else asked.seen
        row, item = seen.pairs()
        answer = Neighbours.empty(len(asked.user_idx), k)
        order = order[: k + int(seen.counts().max(initial=0))]
        n_items = int(max(order.max(initial=0), item.max(initial=0))) + 1
        keys = np.arange(len(asked.user_idx))[:, None] * n_items + order[None, :]
        is_kept = ~np.isin(keys, row * n_items + item)
        rank = np.argsort(~is_kept, axis=1, kind="stable")[:, :k]
        kept = np.take_along_axis(is_kept, rank, 1)
        width = rank.shape[1]
        answer.item_idx[:, :width] = np.where(kept, order[rank] if len(order) else -1, -1)
        answer.score[:, :width] = np.where(kept, 1 / (1 + rank), -np.inf)
        return answer


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


def in_order(name: str) -> Callable[[Opened], Source]:
    """A source whose order a plan holds.

    Args:
        name: Of the source.
    """
    return lambda opened: OrderedSource(order=opened.orders[name])
