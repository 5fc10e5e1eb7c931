"""The items nearest to the user's vector."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.candidates.sources.source import Opened
from recsys.core.files import read_array
from recsys.index.filters import SeenItems
from recsys.index.nearest import Nearest, Neighbours, Vectors


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


def open_two_tower(opened: Opened) -> TwoTowerSource:
    """From the vectors of a run."""
    return TwoTowerSource(index=opened.index, users=read_array(opened.users))
