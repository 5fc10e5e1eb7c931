"""What every index can do, and what it answers with."""

from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from recsys.core.errors import DataError, IndexQualityError
from recsys.index.filters import SeenItems

Vectors = NDArray[np.float32]
Score = Literal["cosine", "dot"]
UNIT_TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """Items nearest to each query, best first.

    Attributes:
        item_idx: Shape (B, K) int32; -1 where fewer than K items are left.
        score: Shape (B, K) float32, the dot product; -inf where there is no item.
    """

    item_idx: NDArray[np.int32]
    score: NDArray[np.float32]

    @staticmethod
    def empty(n_queries: int, k: int) -> "Neighbours":
        """Lists of nothing, to be filled."""
        return Neighbours(item_idx=np.full((n_queries, k), -1, np.int32), score=np.full((n_queries, k), -np.inf, np.float32))


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Lists, and which source each item came from.

    Attributes:
        lists: Shape (B, K).
        source: Shape (B, K), the position of the source, -1 where there is no item.
    """

    lists: Neighbours
    source: NDArray[np.int8]

    def head(self, k: int) -> "Found":
        """The first k ranks of each list."""
        lists = Neighbours(item_idx=self.lists.item_idx[:, :k], score=self.lists.score[:, :k])
        return Found(lists=lists, source=self.source[:, :k])

    @staticmethod
    def of_one(lists: Neighbours) -> "Found":
        """Lists that all come from the first and only source."""
        return Found(lists=lists, source=np.where(lists.item_idx < 0, -1, 0).astype(np.int8))


class Nearest(Protocol):
    """An index over item vectors."""

    def search(
        self, queries: Vectors, *, k: int, seen: SeenItems | None = None, allowed: NDArray[np.bool_] | None = None
    ) -> Neighbours:
        """Find the k items with the largest dot product for each query.

        Args:
            queries: Shape (B, D).
            k: Length of the lists.
            seen: Items to leave out for each of the B rows; the lists still hold k items where that many are left.
            allowed: Shape (I,): the items that may be answered at all; None allows all.
        """
        ...


def check_list_length(k: int, *, n_items: int, name: str) -> None:
    """Refuse lists longer than the catalogue, or of no length at all.

    Raises:
        DataError: k is no whole number from 1 to the number of items.
    """
    if not isinstance(k, int | np.integer) or k < 1:
        raise DataError(f"{name}: k must be a whole number of at least 1, got {k!r}; say how long lists are to be")
    if k > n_items:
        raise DataError(
            f"{name}: k must be at most the catalogue of {n_items} items, got {k}; lower it, and [evaluate] ks with it"
        )


def check_vectors(vectors: Vectors, *, score: Score) -> None:
    """Refuse vectors on which an index would not rank as training scored.

    Args:
        vectors: Shape (I, D).
        score: `cosine` needs length 1, so that the dot product is the cosine; `dot` takes any length.

    Raises:
        IndexQualityError: A length is off by more than 0.001 under `cosine`, or a number is not finite.
    """
    if not np.isfinite(vectors).all():
        raise IndexQualityError("index: item vectors must be finite numbers, got NaN or infinity; train and embed again")
    off = float(np.abs(np.linalg.norm(vectors, axis=1) - 1).max(initial=0.0))
    if score == "cosine" and off > UNIT_TOLERANCE:
        raise IndexQualityError(
            f"index: item vectors must have length 1 for a score by cosine, got one off by {off:.3g}; embed again"
        )


def recall_against(found: Neighbours, exact: Neighbours, *, tolerance: float = 1e-6) -> float:
    """Share of the exact neighbours' ranks that an index filled with items as good.

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
