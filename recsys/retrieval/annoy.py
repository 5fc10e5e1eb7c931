"""Approximate search by Annoy: a forest in one file that many processes can map.

Only the `angular` metric is used: the released 1.17.3 does not use the norm in `dot` trees (issue 619 of spotify/annoy). On
unit vectors both orders are the same; where lengths differ, vectors are made equally long by one more dimension.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import annoy
import numpy as np
from numpy.typing import NDArray

from recsys.core.errors import IndexQualityError
from recsys.core.files import write_atomically
from recsys.retrieval.filters import SeenItems
from recsys.retrieval.nearest import UNIT_TOLERANCE, Neighbours, Vectors
from recsys.retrieval.overfetch import Overfetch


def build_annoy(path: Path, vectors: Vectors, *, n_trees: int, seed: int) -> None:
    """Build a forest and write it, atomically. One thread builds, so the same seed gives the same file.

    Args:
        path: The index file.
        vectors: Shape (I, D).
        n_trees: More trees, better recall and a larger file.
        seed: Of the random splits.
    """
    laid_out = vectors if _is_unit(vectors) else augment(vectors)
    forest = annoy.AnnoyIndex(laid_out.shape[1], "angular")
    forest.set_seed(seed % 2**31)
    for place, vector in enumerate(laid_out):
        forest.add_item(place, vector.tolist())
    forest.build(n_trees, n_jobs=1)
    with write_atomically(path) as partial:
        forest.save(str(partial))


class AnnoyBackend:
    """Searches a forest; what it finds is scored by exact dot product and filtered, and lists are filled up.

    Args:
        path: The index file; it is memory-mapped.
        vectors: Shape (I, D), the vectors that the forest was built from.
        search_k: Nodes to inspect for a list of `tuned_k`.
        tuned_k: The list length that `search_k` was measured for; longer lists inspect in proportion.

    Raises:
        IndexQualityError: The file holds another number of items, or none.
    """

    def __init__(self, path: Path, vectors: Vectors, *, search_k: int, tuned_k: int) -> None:
        self._forest = annoy.AnnoyIndex(vectors.shape[1] + 1 - _is_unit(vectors), "angular")
        try:
            self._forest.load(str(path))
        except OSError as error:
            raise IndexQualityError(
                f"{path} must be an Annoy index of these vectors, got {error}; run the stage index"
            ) from None
        if self._forest.get_n_items() != len(vectors):
            raise IndexQualityError(
                f"{path} must hold {len(vectors)} items, got {self._forest.get_n_items()}; run the stage index again"
            )
        self._search_k, self._tuned_k = search_k, tuned_k
        self._overfetch = Overfetch(vectors)

    def search(
        self, queries: Vectors, *, k: int, seen: SeenItems | None = None, allowed: NDArray[np.bool_] | None = None
    ) -> Neighbours:
        """See `Nearest.search`. Annoy releases the GIL, so threads help."""
        return self._overfetch.search(self._find, queries, k=k, seen=seen, allowed=allowed)

    def _find(self, queries: Vectors, wanted: NDArray[np.int64]) -> NDArray[np.int32]:
        padding = [0.0] * (self._forest.f - queries.shape[1])
        found = np.full((len(queries), int(wanted.max(initial=0))), -1, np.int32)

        def ask(place: int) -> None:
            n = int(wanted[place])
            effort = max(self._search_k, self._search_k * n // self._tuned_k)
            items = self._forest.get_nns_by_vector(queries[place].tolist() + padding, n, effort)
            found[place, : len(items)] = items

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(ask, range(len(queries))))
        return found


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


def _is_unit(vectors: Vectors) -> bool:
    lengths = np.linalg.norm(vectors, axis=1)
    return bool(np.abs(lengths - 1).max(initial=0.0) <= UNIT_TOLERANCE)
