"""Which items a user must not get."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsys.core.arrays import distinct

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

    def nothing(self) -> "SeenItems":
        """Empty stretches for as many rows."""
        return SeenItems(item_idx=self.item_idx, starts=self.starts, ends=self.starts)

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

    def renumber(self, numbers: NDArray[np.int32]) -> "SeenItems":
        """The same under other numbers of items, without those that have none.

        Args:
            numbers: Shape (I,), the new number of each item, -1 for none.
        """
        row, item = self.pairs()
        number = numbers[item]
        ends = np.cumsum(np.bincount(row[number >= 0], minlength=len(self.starts)))
        starts = np.concatenate([np.zeros(1, np.int64), ends[:-1]])[: len(ends)]
        return SeenItems(item_idx=number[number >= 0], starts=starts, ends=ends)

    def row(self, position: int) -> Ints:
        """One row's items."""
        return np.asarray(self.item_idx[self.starts[position] : self.ends[position]])


def n_possible(seen: SeenItems, *, k: int, n_items: int, allowed: NDArray[np.bool_] | None) -> NDArray[np.int64]:
    """How long each list can be: k, or as many allowed items as the user has not seen. Shape (B,).

    Args:
        seen: What the B users have seen.
        k: Length asked for.
        n_items: I.
        allowed: Shape (I,); None allows all.
    """
    n_allowed = n_items if allowed is None else int(allowed.sum())
    possible = np.full(len(seen.starts), k, np.int64)
    close = np.flatnonzero(n_allowed - seen.counts() < k)
    row, item = seen.rows(close).pairs()
    if allowed is not None:
        row, item = row[allowed[item]], item[allowed[item]]
    of_row = distinct(row * np.int64(n_items) + item) // n_items
    possible[close] = np.minimum(k, n_allowed - np.bincount(of_row, minlength=len(close)))
    return possible
