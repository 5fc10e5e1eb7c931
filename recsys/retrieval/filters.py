"""Which items a user must not get."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenItems:
    """For each of B rows, a stretch of one flat array of item idx.

    Attributes:
        item_idx: Shape (E,).
        starts: Shape (B,), where each row's stretch begins.
        ends: Shape (B,), where it ends.
    """

    item_idx: Ints
    starts: Ints
    ends: Ints

    def rows(self, part: slice | Ints) -> "SeenItems":
        """The same for some of the rows."""
        return SeenItems(item_idx=self.item_idx, starts=self.starts[part], ends=self.ends[part])

    def counts(self) -> Ints:
        """Length of each row's stretch, shape (B,)."""
        return np.asarray(self.ends) - np.asarray(self.starts)

    def pairs(self) -> tuple[Ints, Ints]:
        """All (row, item idx) pairs, as two arrays of the same length."""
        counts = self.counts()
        row = np.repeat(np.arange(len(counts)), counts)
        before = np.repeat(np.cumsum(counts) - counts, counts)
        position = np.repeat(np.asarray(self.starts), counts) + np.arange(len(row)) - before
        return row, np.asarray(self.item_idx)[position]

    def row(self, place: int) -> Ints:
        """One row's items."""
        return np.asarray(self.item_idx[self.starts[place] : self.ends[place]])
