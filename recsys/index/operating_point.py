"""How an index is built and how hard it searches: the fastest way that reaches the recall asked for, by measurement."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from recsys.core.errors import IndexQualityError
from recsys.index.backend import Backend
from recsys.index.choice import BACKENDS
from recsys.index.exact import ExactIndex
from recsys.index.facts import BackendName
from recsys.index.nearest import Nearest, Neighbours, Vectors, recall_against

_BISECTIONS = 3
_TIMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatingPoint:
    """One setting of an index, and what was measured at it.

    Attributes:
        backend: `exact`, or the name of an approximate one.
        build: The form that was built.
        effort: Search effort for a list of k, as the backend counts it; 0 for exact.
        k: List length of the measurement.
        recall: Recall@k against exact search.
        queries_per_second: In batches, all threads, best of three.
    """

    backend: Literal["exact", BackendName]
    build: str
    effort: int
    k: int
    recall: float
    queries_per_second: float

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def choose_operating_point(
    path: Path,
    vectors: Vectors,
    queries: Vectors,
    *,
    backends: Mapping[BackendName, Backend],
    k: int,
    target_recall: float,
    seed: int,
    with_exact: bool = False,
    n_doublings: int = 10,
) -> tuple[OperatingPoint, list[OperatingPoint]]:
    """Build every form of the backends and find, for each, the least effort that reaches the target; the fastest form wins.

    The file of the winner is left at `path`; there is none if exact search wins.

    Args:
        path: The index file.
        vectors: Shape (I, D) of items.
        queries: Shape (B, D) of users to measure with.
        backends: Which to try.
        k: List length.
        target_recall: Least mean recall@k.
        seed: Of forests and samples.
        with_exact: Whether exact search takes part.
        n_doublings: How often the effort is doubled at most.

    Returns:
        The choice, and every point measured.

    Raises:
        IndexQualityError: No setting reaches the target.
    """
    exact_index = ExactIndex(vectors)
    exact = exact_index.search(queries, k=k)
    measured: list[OperatingPoint] = []
    best: OperatingPoint | None = None
    if with_exact:
        best = _measure(exact_index, queries, exact, backend="exact", build="all items", effort=0, k=k)
        measured.append(best)
    for name, backend in backends.items():
        for form in backend.forms:
            candidate = path.with_name(f".{path.name}.trying")
            try:
                backend.build(candidate, vectors, form=form, seed=seed)
                measure = partial(_measure_at, candidate, vectors, queries, exact, name=name, backend=backend, form=form, k=k)
                points = list(_least_effort(measure, backend.least_effort(form, k), target_recall, n_doublings))
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


def open_backend(path: Path, vectors: Vectors, point: OperatingPoint) -> Nearest:
    """Open an index file at an operating point."""
    if point.backend == "exact":
        return ExactIndex(vectors)
    return BACKENDS[point.backend].open(path, vectors, form=point.build, effort=point.effort, tuned_k=point.k)


def _measure_at(
    path: Path,
    vectors: Vectors,
    queries: Vectors,
    exact: Neighbours,
    effort: int,
    *,
    name: BackendName,
    backend: Backend,
    form: str,
    k: int,
) -> OperatingPoint:
    index = backend.open(path, vectors, form=form, effort=effort, tuned_k=k)
    return _measure(index, queries, exact, backend=name, build=form, effort=effort, k=k)


def _least_effort(
    measure: Callable[[int], OperatingPoint], start: int, target_recall: float, n_doublings: int
) -> Iterator[OperatingPoint]:
    """Double the effort until the target is reached, then halve the interval on a scale of ratios."""
    low, high = 0, 0
    for doubling in range(n_doublings):
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
