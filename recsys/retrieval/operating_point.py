"""How many trees and how much search: the least that reaches the recall asked for, measured against exact search."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from recsys.core.errors import IndexQualityError
from recsys.retrieval.annoy import AnnoyBackend, build_annoy
from recsys.retrieval.exact import ExactIndex
from recsys.retrieval.nearest import Vectors, recall_against

_TREES = (10, 25, 50, 100)
_DOUBLINGS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatingPoint:
    """One setting of the index and the recall it was measured at.

    Attributes:
        n_trees: Trees of the forest.
        search_k: Nodes inspected for a list of k.
        k: List length of the measurement.
        recall: Recall@k against exact search.
    """

    n_trees: int
    search_k: int
    k: int
    recall: float

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def choose_operating_point(
    path: Path, vectors: Vectors, queries: Vectors, *, k: int, target_recall: float, seed: int
) -> tuple[OperatingPoint, list[OperatingPoint]]:
    """Build forests of growing size and find, for each, the least search effort that reaches the target.

    Among the forests, the one that needs the least effort wins, fewer trees first; its file is left at `path`. Effort is
    counted in nodes, not seconds, so that the same vectors always give the same choice.

    Args:
        path: The index file.
        vectors: Shape (I, D) unit vectors of items.
        queries: Shape (B, D) unit vectors of users to measure with.
        k: List length.
        target_recall: Least mean recall@k.
        seed: Of the forests.

    Returns:
        The choice, and every point measured.

    Raises:
        IndexQualityError: No setting reaches the target.
    """
    exact = ExactIndex(vectors).search(queries, k=k)
    measured: list[OperatingPoint] = []
    for n_trees in _TREES:
        candidate = path.with_suffix(f".{n_trees}")
        build_annoy(candidate, vectors, n_trees=n_trees, seed=seed)
        for doubling in range(_DOUBLINGS):
            search_k = k << doubling
            backend = AnnoyBackend(candidate, vectors, search_k=search_k, tuned_k=k)
            recall = recall_against(backend.search(queries, k=k), exact)
            measured.append(OperatingPoint(n_trees=n_trees, search_k=search_k, k=k, recall=recall))
            if recall >= target_recall:
                break
    reached = [point for point in measured if point.recall >= target_recall]
    best = min(reached, key=lambda point: (point.search_k, point.n_trees), default=None)
    for n_trees in _TREES:
        candidate = path.with_suffix(f".{n_trees}")
        if best is not None and n_trees == best.n_trees:
            candidate.replace(path)
        candidate.unlink(missing_ok=True)
    if best is None:
        top = max(measured, key=lambda point: point.recall)
        raise IndexQualityError(
            f"index: recall@{k} against exact search must be at least {target_recall}, got at best {top.recall:.4f} with "
            f'{top.n_trees} trees and search_k {top.search_k}; set [index] backend = "exact" or lower target_recall'
        )
    return best, measured
