"""Approximate search by Annoy: a forest in one file that many processes can map.

Only the `angular` metric is used: the released 1.17.3 does not use the norm in `dot` trees (issue 619 of spotify/annoy). On
unit vectors both orders are the same; where lengths differ, vectors are made equally long by one more dimension.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsys.core.errors import IndexQualityError
from recsys.core.files import write_atomically
from recsys.index.backend import Backend
from recsys.index.nearest import UNIT_TOLERANCE, Vectors
from recsys.index.overfetch import Overfetch


def build_annoy(path: Path, vectors: Vectors, *, form: str, seed: int) -> None:
    """Build a forest and write it, atomically. One thread builds, so the same seed gives the same file.

    Args:
        path: The index file.
        vectors: Shape (I, D).
        form: As `50 trees`: more trees, better recall and a larger file.
        seed: Of the random splits.
    """
    laid_out = vectors if _is_unit(vectors) else augment(vectors)
    forest = _forest(laid_out.shape[1])
    forest.set_seed(seed % 2**31)
    for row, vector in enumerate(laid_out):
        forest.add_item(row, vector.tolist())
    forest.build(int(form.split(maxsplit=1)[0]), n_jobs=1)
    with write_atomically(path) as partial:
        forest.save(str(partial))


def open_annoy(path: Path, vectors: Vectors, *, form: str, effort: int, tuned_k: int) -> Overfetch:
    """Open a forest. Annoy releases the GIL, so queries are spread over threads.

    Args:
        path: The index file; it is memory-mapped.
        vectors: Shape (I, D), the vectors that the forest was built from.
        form: How it was built, which the file says too.
        effort: Nodes to inspect for a list of `tuned_k`.
        tuned_k: The list length that `effort` was measured for; longer lists inspect in proportion.

    Raises:
        IndexQualityError: The file holds another number of items, or none.
    """
    forest = _forest(vectors.shape[1] + 1 - _is_unit(vectors))
    try:
        forest.load(str(path))
    except OSError as error:
        raise IndexQualityError(f"{path} must be an Annoy index of these vectors, got {error}; run the stage index") from None
    if forest.get_n_items() != len(vectors):
        raise IndexQualityError(f"{path} must hold {len(vectors)} items, got {forest.get_n_items()}; run the stage index again")
    padding = [0.0] * (forest.f - vectors.shape[1])

    def find(queries: Vectors, wanted: NDArray[np.int64]) -> NDArray[np.int32]:
        found = np.full((len(queries), int(wanted.max(initial=0))), -1, np.int32)

        def ask(row: int) -> None:
            n = int(wanted[row])
            items = forest.get_nns_by_vector(queries[row].tolist() + padding, n, max(effort, effort * n // tuned_k))
            found[row, : len(items)] = items

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(ask, range(len(queries))))
        return found

    return Overfetch(vectors, find)


def augment(vectors: Vectors) -> Vectors:
    """Append to each vector what its length lacks of the longest, so that all have one length and angle ranks by dot product.

    Source: Bachrach et al. 2014, Speeding Up the Xbox Recommender System, section 3.

    Args:
        vectors: Shape (I, D).

    Returns:
        Shape (I, D + 1).
    """
    squares = (vectors.astype(np.float64) ** 2).sum(1)
    lacking = np.sqrt(np.maximum(squares.max(initial=0.0) - squares, 0.0))
    return np.concatenate([vectors, lacking[:, None].astype(np.float32)], axis=1)


def _forest(dim: int) -> Any:
    import annoy

    return annoy.AnnoyIndex(dim, "angular")


def _is_unit(vectors: Vectors) -> bool:
    lengths = np.linalg.norm(vectors, axis=1)
    return bool(np.abs(lengths - 1).max(initial=0.0) <= UNIT_TOLERANCE)


BACKEND = Backend(
    forms=tuple(f"{n_trees} trees" for n_trees in (10, 25, 50, 100)),
    build=build_annoy,
    open=open_annoy,
    least_effort=lambda form, k: k,
    is_available=lambda: True,
)
