"""What every index can do, and what it answers with."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from recsys.retrieval.filters import SeenItems

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """Items nearest to each query, best first.

    Attributes:
        item_idx: Shape (B, K) int32; -1 where fewer than K items are left.
        score: Shape (B, K) float32, the dot product; -inf where there is no item.
    """

    item_idx: NDArray[np.int32]
    score: NDArray[np.float32]


class Nearest(Protocol):
    """An index over item vectors."""

    def search(self, queries: Vectors, *, k: int, seen: SeenItems | None = None) -> Neighbours:
        """Find the k items with the largest dot product for each query.

        Args:
            queries: Shape (B, D).
            k: Length of the lists.
            seen: Items to leave out for each of the B rows; the lists still hold k items where that many are left.
        """
        ...


def recall_against(found: Neighbours, exact: Neighbours, *, tolerance: float = 1e-6) -> float:
    """Share of the exact neighbours' places that an index filled with items as good.

    An item counts if its score reaches the exact list's last score, so that ties are no errors.

    Args:
        found: Shape (B, K), scores by exact dot product.
        exact: Shape (B, K).
        tolerance: How far a score may lie below.
    """
    wanted = exact.item_idx >= 0
    last = np.where(wanted, exact.score, np.inf).min(1, keepdims=True)
    reached = (found.item_idx >= 0) & (found.score >= last - tolerance)
    per_row: NDArray[Any] = np.minimum(reached.sum(1), wanted.sum(1))
    return float(per_row.sum() / max(int(wanted.sum()), 1))
