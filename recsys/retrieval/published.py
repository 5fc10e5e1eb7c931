"""An index on disk with what it is bound to: `index.json` names the backend, its setting and the vectors it was built from."""

from pathlib import Path
from typing import Any, Literal

import numpy as np

from recsys.core.errors import IndexQualityError
from recsys.core.files import read_array, read_json, sha256_of, write_json
from recsys.core.random import rng_for
from recsys.retrieval.annoy import AnnoyBackend, check_unit
from recsys.retrieval.exact import ExactIndex
from recsys.retrieval.nearest import Nearest, Vectors
from recsys.retrieval.operating_point import choose_operating_point

Backend = Literal["annoy", "exact"]
_INDEX_FILE = "items.annoy"


def build_index(
    folder: Path,
    vectors_path: Path,
    queries: Vectors,
    *,
    backend: Backend,
    k: int,
    target_recall: float,
    n_queries: int,
    seed: int,
) -> dict[str, Any]:
    """Build an index that reaches its recall, and note what it belongs to.

    Args:
        folder: Where `index.json` and the index file go.
        vectors_path: The `.npy` file of item vectors, shape (I, D).
        queries: Shape (U, D), user vectors to measure with.
        backend: `annoy` or `exact`; exact has nothing to build and recall 1.
        k: List length of the measurement, at most I.
        target_recall: The gate.
        n_queries: Queries drawn at random for the measurement.
        seed: Of forests and draw.

    Returns:
        What `index.json` holds.

    Raises:
        IndexQualityError: The recall is missed, or the vectors have no unit length.
    """
    vectors = read_array(vectors_path)
    check_unit(vectors)
    k = min(k, len(vectors))
    about: dict[str, Any] = {"backend": backend, "vectors_sha256": sha256_of(vectors_path), "n_items": len(vectors)}
    if backend == "exact":
        about |= {"recall": 1.0, "k": k}
    else:
        rng = rng_for(seed, "index queries")
        chosen = np.sort(rng.choice(len(queries), min(n_queries, len(queries)), replace=False))
        point, measured = choose_operating_point(
            folder / _INDEX_FILE, vectors, queries[chosen], k=k, target_recall=target_recall, seed=seed
        )
        about |= {"index_sha256": sha256_of(folder / _INDEX_FILE)}
        about |= point.as_dict() | {"target_recall": target_recall, "measured": [each.as_dict() for each in measured]}
    write_json(folder / "index.json", about)
    return about


def open_index(folder: Path, vectors_path: Path) -> Nearest:
    """Open an index, and refuse one that was built from other vectors.

    Raises:
        IndexQualityError: The vectors or the index file are not those of `index.json`.
    """
    about = read_json(folder / "index.json")
    found = sha256_of(vectors_path)
    if about["vectors_sha256"] != found:
        raise IndexQualityError(
            f"{folder} must be built from the vectors of {vectors_path} ({found[:12]}…), got one built from "
            f"{about['vectors_sha256'][:12]}…; run the stage index again"
        )
    vectors = read_array(vectors_path)
    if about["backend"] == "exact":
        return ExactIndex(vectors)
    if sha256_of(folder / _INDEX_FILE) != about.get("index_sha256"):
        raise IndexQualityError(
            f"{folder / _INDEX_FILE} must be the file that index.json names, got another; run the stage index again"
        )
    return AnnoyBackend(folder / _INDEX_FILE, vectors, search_k=about["search_k"], tuned_k=about["k"])
