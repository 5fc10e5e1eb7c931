"""The items nearest to the user's vector."""

from dataclasses import dataclass

import numpy as np

from recsys.candidates.sources.source import Opened, Request
from recsys.core.files import read_array
from recsys.index.nearest import Nearest, Neighbours, Vectors


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoTowerSource:
    """The items nearest to the user's vector."""

    index: Nearest
    users: Vectors

    def find(self, asked: Request) -> Neighbours:
        """See `Source.find`."""
        queries = np.array(self.users[asked.user_idx])
        return self.index.search(queries, k=asked.k, seen=asked.left_out, allowed=asked.allowed)


def open_two_tower(opened: Opened) -> TwoTowerSource:
    """From the vectors of a run."""
    return TwoTowerSource(index=opened.index, users=read_array(opened.users))
