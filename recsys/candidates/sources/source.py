"""What a source of candidates is, and what it may be made from."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from recsys.baselines.train_matrix import UserItems
from recsys.index.filters import SeenItems
from recsys.index.nearest import Nearest, Neighbours, Vectors


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Whose lists are asked for, and what may be in them.

    Attributes:
        user_idx: Shape (B,).
        k: Length of the lists.
        seen: What each of these users has taken.
        allowed: Shape (I,), the items that may be in a list; None allows all.
        keeps_seen: Whether lists may hold what was taken.
    """

    user_idx: NDArray[np.int64]
    k: int
    seen: SeenItems
    allowed: NDArray[np.bool_] | None = None
    keeps_seen: bool = False

    @property
    def left_out(self) -> SeenItems | None:
        """What each list must not hold, though it is allowed."""
        return None if self.keeps_seen else self.seen


class Source(Protocol):
    """One way to find candidates."""

    def find(self, asked: Request) -> Neighbours:
        """Lists of shape (B, k), best first."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What is at hand where a source is opened.

    Attributes:
        index: Over all items.
        items: Shape (I + N, D), vectors of the items of train and of those added.
        users: The file of user vectors, shape (U, D).
        orders: Orders of items that a plan holds, by source.
        fitted: The folder of fitted baselines, one folder each; None if there are none.
        taken: Who has taken what, for these baselines; None if there are none.
    """

    index: Nearest
    items: Vectors
    users: Path
    orders: Mapping[str, NDArray[np.int32]]
    fitted: Path | None
    taken: UserItems | None
