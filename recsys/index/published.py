"""An index on disk with what it is bound to: `index.json` names the backend, its setting and the vectors it was built from."""

import hashlib
from pathlib import Path
from typing import Literal

import numpy as np

from recsys.core.errors import IndexQualityError
from recsys.core.facts import as_table
from recsys.core.files import read_array, sha256_of, write_json
from recsys.core.random import rng_for
from recsys.index.choice import BACKENDS
from recsys.index.facts import BackendName, IndexFacts, read_index_facts
from recsys.index.nearest import Nearest, Score, Vectors, check_vectors
from recsys.index.operating_point import OperatingPoint, choose_operating_point, open_backend
from recsys.index.overlay import OverlayIndex

EXACT_UP_TO = 50_000
_INDEX_FILE = "items.index"


def build_index(
    folder: Path,
    vectors_path: Path,
    queries: Vectors,
    *,
    backend: Literal["auto", "exact", BackendName],
    k: int,
    target_recall: float,
    n_queries: int,
    seed: int,
    score: Score = "cosine",
    added: Vectors | None = None,
    exact_up_to: int = EXACT_UP_TO,
) -> IndexFacts:
    """Build an index that reaches its recall, and note what it belongs to.

    Args:
        folder: Where `index.json`, `curve.json` and the index file go.
        vectors_path: The `.npy` file of item vectors, shape (I, D).
        queries: Shape (U, D), user vectors to measure with.
        backend: `exact` has nothing to build and recall 1; `auto` takes it for small catalogues, and beyond that
            the fastest of it and of all that are installed.
        k: List length of the measurement, at most I.
        target_recall: The gate.
        n_queries: Queries drawn at random for the measurement.
        seed: Of forests and draw.
        score: By what training compared a user with an item.
        added: Shape (N, D), items added to this model; they become part of the index.
        exact_up_to: Items up to which `auto` searches exactly.

    Returns:
        What `index.json` holds.

    Raises:
        IndexQualityError: The recall is missed, or the vectors do not rank by that score.
        ConfigError: Faiss is asked for and not installed.
    """
    vectors = _with_added(read_array(vectors_path), added, None)
    check_vectors(vectors, score=score)
    k = min(k, len(vectors))
    why, measured = "", list[OperatingPoint]()
    if backend == "exact" or (backend == "auto" and len(vectors) <= exact_up_to):
        why = "asked for" if backend == "exact" else f"up to {exact_up_to:,} items no index finds lists sooner"
        point = OperatingPoint(backend="exact", build="all items", effort=0, k=k, recall=1.0, queries_per_second=0.0)
    else:
        names = [name for name, each in BACKENDS.items() if each.is_available()] if backend == "auto" else [backend]
        drawn = rng_for(seed, "index queries").choice(len(queries), min(n_queries, len(queries)), replace=False)
        point, measured = choose_operating_point(
            folder / _INDEX_FILE,
            vectors,
            np.array(queries[np.sort(drawn)]),
            backends={name: BACKENDS[name] for name in names},
            k=k,
            target_recall=target_recall,
            seed=seed,
            with_exact=backend == "auto",
        )
        write_json(folder / "curve.json", [each.as_dict() for each in measured])
    facts = IndexFacts(
        backend=point.backend,
        build=point.build,
        effort=point.effort,
        k=point.k,
        recall=point.recall,
        queries_per_second=point.queries_per_second if measured else None,
        why=why or _reason(point, measured),
        target_recall=target_recall,
        score=score,
        n_items=len(vectors),
        n_added=0 if added is None else len(added),
        vectors_sha256=sha256_of(vectors_path),
        added_sha256=_hash_added(added, None),
        index_sha256=None if point.backend == "exact" else sha256_of(folder / _INDEX_FILE),
    )
    write_json(folder / "index.json", as_table(facts))
    return facts


def open_index(folder: Path, vectors_path: Path, *, score: Score = "cosine", added: Vectors | None = None) -> Nearest:
    """Open an index, and refuse one that was built from other vectors or for another score.

    Args:
        folder: Where it was built.
        vectors_path: The `.npy` file of item vectors.
        score: By what the model was trained.
        added: Shape (N, D), items added to this model; those that came after the build are searched exactly beside it.

    Raises:
        IndexQualityError: The vectors, the score or the index file are not those of `index.json`.
    """
    about = read_index_facts(folder)
    if about.score != score:
        raise IndexQualityError(
            f"{folder} must rank by {score}, as the model was trained, got an index for {about.score}; run the stage "
            "index again"
        )
    found = sha256_of(vectors_path)
    if about.vectors_sha256 != found:
        raise IndexQualityError(
            f"{folder} must be built from the vectors of {vectors_path} ({found[:12]}…), got one built from "
            f"{about.vectors_sha256[:12]}…; run the stage index again"
        )
    path = folder / _INDEX_FILE
    if about.backend != "exact" and (not path.is_file() or sha256_of(path) != about.index_sha256):
        raise IndexQualityError(f"{path} must be the file that index.json names, got another; run the stage index again")
    n_built, n_added = about.n_added, 0 if added is None else len(added)
    if n_built > n_added or _hash_added(added, n_built) != about.added_sha256:
        raise IndexQualityError(
            f"{folder} must find the {n_built} added items that it was built with, got {n_added} or others; remove "
            f"{folder} and run make again"
        )
    vectors = _with_added(read_array(vectors_path), added, n_built)
    nearest = open_backend(path, vectors, _point(about))
    if added is None or n_added == n_built:
        return nearest
    return OverlayIndex(nearest, n_items=len(vectors), added=added[n_built:])


def _point(about: IndexFacts) -> OperatingPoint:
    return OperatingPoint(
        backend=about.backend,
        build=about.build,
        effort=about.effort,
        k=about.k,
        recall=about.recall,
        queries_per_second=about.queries_per_second or 0.0,
    )


def _hash_added(added: Vectors | None, n: int | None) -> str:
    return hashlib.sha256(b"" if added is None else np.ascontiguousarray(added[:n], np.float32).tobytes()).hexdigest()


def _with_added(vectors: Vectors, added: Vectors | None, n: int | None) -> Vectors:
    if added is None or not len(added[:n]):
        return vectors
    return np.concatenate([vectors, added[:n]])


def _reason(chosen: OperatingPoint, measured: list[OperatingPoint]) -> str:
    others = sorted({point.backend for point in measured} - {chosen.backend})
    beside = f", faster than {' and '.join(others)}" if others else ""
    return f"{chosen.queries_per_second:,.0f} queries/s at recall@{chosen.k} {chosen.recall:.4f}{beside}"
