"""How an index is built and how hard it searches: the fastest way that reaches the recall asked for, by measurement.

Annoy and Faiss are imported when one of them is used: exact search needs neither.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from recsys.core.errors import IndexQualityError
from recsys.index.exact import ExactIndex
from recsys.index.nearest import Nearest, Neighbours, Vectors, recall_against

Family = Literal["annoy", "faiss"]
_TREES = (10, 25, 50, 100)
_DOUBLINGS = 10
_BISECTIONS = 3
_TIMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatingPoint:
    """One setting of an index, and what was measured at it.

    Attributes:
        backend: `exact`, `annoy` or `faiss`.
        build: What was built: for annoy the number of trees, for faiss its kind.
        effort: Search effort for a list of k: nodes for annoy and HNSW, lists for IVF-PQ; 0 for exact.
        k: List length of the measurement.
        recall: Recall@k against exact search.
        queries_per_second: In batches, all threads, best of three.
    """

    backend: Literal["exact", "annoy", "faiss"]
    build: str
    effort: int
    k: int
    recall: float
    queries_per_second: float

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def choose_operating_point(
    path: Path, vectors: Vectors, queries: Vectors, *, families: list[Family], k: int, target_recall: float, seed: int
) -> tuple[OperatingPoint, list[OperatingPoint]]:
    """Build every form of the families and find, for each, the least effort that reaches the target; the fastest form wins.

    The file of the winner is left at `path`; there is none if exact search wins, which takes part where several families do.

    Args:
        path: The index file.
        vectors: Shape (I, D) of items.
        queries: Shape (B, D) of users to measure with.
        families: Which to try.
        k: List length.
        target_recall: Least mean recall@k.
        seed: Of forests and samples.

    Returns:
        The choice, and every point measured.

    Raises:
        IndexQualityError: No setting reaches the target.
    """
    exact_index = ExactIndex(vectors)
    exact = exact_index.search(queries, k=k)
    measured: list[OperatingPoint] = []
    best: OperatingPoint | None = None
    if len(families) > 1:
        best = _measure(exact_index, queries, exact, backend="exact", build="all items", effort=0, k=k)
        measured.append(best)
    for family in families:
        for build in builds_of(family):
            candidate = path.with_name(f".{path.name}.trying")
            try:
                _build(candidate, vectors, family, build, seed=seed)
                points = list(_least_effort(candidate, vectors, queries, exact, family, build, k, target_recall))
                measured += points
                reached = [point for point in points if point.recall >= target_recall]
                fastest = max(reached, key=lambda point: point.queries_per_second, default=None)
                if fastest and (best is None or fastest.queries_per_second > best.queries_per_second):
                    best = fastest
                    candidate.replace(path)
            finally:
                candidate.unlink(missing_ok=True)
    if best is None:
        top = max(measured, key=lambda point: point.recall)
        raise IndexQualityError(
            f"index: recall@{k} against exact search must be at least {target_recall}, got at best {top.recall:.4f} with "
            f'{top.backend}, {top.build}, effort {top.effort}; set [index] backend = "exact" or lower target_recall'
        )
    return best, measured


def builds_of(family: Family) -> list[str]:
    """The forms of a family that are tried."""
    return [f"{n_trees} trees" for n_trees in _TREES] if family == "annoy" else ["hnsw", "ivfpq"]


def available_families() -> list[Family]:
    """Annoy always, Faiss where its extra is installed."""
    from recsys.index import faiss

    return ["annoy", "faiss"] if faiss.is_available() else ["annoy"]


def open_backend(path: Path, vectors: Vectors, point: OperatingPoint) -> Nearest:
    """Open an index file at an operating point."""
    match point.backend:
        case "exact":
            return ExactIndex(vectors)
        case "annoy":
            from recsys.index.annoy import open_annoy

            return open_annoy(path, vectors, search_k=point.effort, tuned_k=point.k)
        case "faiss":
            from recsys.index.faiss import open_faiss

            return open_faiss(
                path, vectors, kind="hnsw" if point.build == "hnsw" else "ivfpq", effort=point.effort, tuned_k=point.k
            )


def _build(path: Path, vectors: Vectors, family: Family, build: str, *, seed: int) -> None:
    if family == "annoy":
        from recsys.index.annoy import build_annoy

        build_annoy(path, vectors, n_trees=int(build.split(maxsplit=1)[0]), seed=seed)
    else:
        from recsys.index.faiss import build_faiss

        build_faiss(path, vectors, kind="hnsw" if build == "hnsw" else "ivfpq", seed=seed)


def _least_effort(
    path: Path,
    vectors: Vectors,
    queries: Vectors,
    exact: Neighbours,
    family: Family,
    build: str,
    k: int,
    target_recall: float,
) -> Iterator[OperatingPoint]:
    """Double the effort until the target is reached, then halve the interval on a scale of ratios."""

    def measure(effort: int) -> OperatingPoint:
        point = OperatingPoint(backend=family, build=build, effort=effort, k=k, recall=0.0, queries_per_second=0.0)
        return _measure(open_backend(path, vectors, point), queries, exact, backend=family, build=build, effort=effort, k=k)

    start = 1 if build == "ivfpq" else k
    low, high = 0, 0
    for doubling in range(_DOUBLINGS):
        point = measure(start << doubling)
        yield point
        if point.recall >= target_recall:
            low, high = (start << doubling) // 2, start << doubling
            break
    for _ in range(_BISECTIONS if low else 0):
        middle = round((low * high) ** 0.5)
        if middle in (low, high):
            return
        point = measure(middle)
        yield point
        low, high = (low, middle) if point.recall >= target_recall else (middle, high)


def _measure(index: Nearest, queries: Vectors, exact: Neighbours, **setting: Any) -> OperatingPoint:
    found, seconds = _timed(lambda: index.search(queries, k=setting["k"]))
    return OperatingPoint(recall=recall_against(found, exact), queries_per_second=round(len(queries) / seconds, 1), **setting)


def _timed(search: Callable[[], Neighbours]) -> tuple[Neighbours, float]:
    best = float("inf")
    for _ in range(_TIMED):
        began = time.perf_counter()
        found = search()
        best = min(best, time.perf_counter() - began)
    return found, best
