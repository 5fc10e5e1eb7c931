"""Approximate search by Annoy: a forest in one file that many processes can map.

Only the `angular` metric on unit vectors is used: the released 1.17.3 does not use the norm in `dot` trees (issue 619 of
spotify/annoy), and on unit vectors both orders are the same.
"""

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import annoy
import numpy as np
from numpy.typing import NDArray

from recsys.core.errors import IndexQualityError
from recsys.core.files import write_atomically
from recsys.retrieval.exact import ExactIndex
from recsys.retrieval.filters import SeenItems
from recsys.retrieval.nearest import Neighbours, Vectors

_UNIT_TOLERANCE = 1e-3


def build_annoy(path: Path, vectors: Vectors, *, n_trees: int, seed: int) -> None:
    """Build a forest and write it, atomically. One thread builds, so the same seed gives the same file.

    Args:
        path: The index file.
        vectors: Shape (I, D), unit vectors.
        n_trees: More trees, better recall and a larger file.
        seed: Of the random splits.

    Raises:
        IndexQualityError: A vector is not of length 1, so `angular` would not rank by dot product.
    """
    check_unit(vectors)
    forest = annoy.AnnoyIndex(vectors.shape[1], "angular")
    forest.set_seed(seed % 2**31)
    for place, vector in enumerate(vectors):
        forest.add_item(place, vector.tolist())
    forest.build(n_trees, n_jobs=1)
    with write_atomically(path) as partial:
        forest.save(str(partial))


def check_unit(vectors: Vectors) -> None:
    """Refuse vectors whose length is not 1.

    Raises:
        IndexQualityError: The longest or shortest is off by more than 0.001, or is not a number.
    """
    lengths = np.linalg.norm(vectors, axis=1)
    off = float(np.abs(lengths - 1).max(initial=0.0))
    if not off <= _UNIT_TOLERANCE:
        raise IndexQualityError(
            f"index: item vectors must have length 1 for the angular metric, got one off by {off:.3g}; embed again"
        )


class AnnoyBackend:
    """Searches a forest, scores what it finds by exact dot product, and fills short lists by exact search.

    Args:
        path: The index file; it is memory-mapped.
        vectors: Shape (I, D), the vectors that the forest was built from.
        search_k: Nodes to inspect for a list of `tuned_k`.
        tuned_k: The list length that `search_k` was measured for; longer lists inspect in proportion.

    Raises:
        IndexQualityError: The file holds another number of items.
    """

    def __init__(self, path: Path, vectors: Vectors, *, search_k: int, tuned_k: int) -> None:
        self._forest = annoy.AnnoyIndex(vectors.shape[1], "angular")
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
        self._vectors = vectors
        self._exact: ExactIndex | None = None
        self._search_k, self._tuned_k = search_k, tuned_k

    def search(self, queries: Vectors, *, k: int, seen: SeenItems | None = None) -> Neighbours:
        """See `Nearest.search`. Over-fetches by the number of seen items; Annoy releases the GIL, so threads help."""
        n_seen = np.zeros(len(queries), np.int64) if seen is None else seen.counts()
        wanted = np.minimum(k + n_seen, len(self._vectors))
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            found = pool.map(self._find, (query.tolist() for query in queries), wanted.tolist())
            answer = self._collect(queries, found, k=k, seen=seen)
        short = np.flatnonzero((answer.item_idx < 0).any(1))
        if len(short):
            self._exact = self._exact or ExactIndex(self._vectors)
            filled = self._exact.search(queries[short], k=k, seen=None if seen is None else seen.rows(short))
            answer.item_idx[short], answer.score[short] = filled.item_idx, filled.score
        return answer

    def _find(self, query: list[float], n: int) -> list[int]:
        effort = max(self._search_k, self._search_k * n // self._tuned_k)
        return self._forest.get_nns_by_vector(query, n, effort)

    def _collect(self, queries: Vectors, found: Iterable[list[int]], *, k: int, seen: SeenItems | None) -> Neighbours:
        item_idx = np.full((len(queries), k), -1, np.int32)
        score = np.full((len(queries), k), -np.inf, np.float32)
        for place, answer in enumerate(found):
            items: NDArray[np.int32] = np.array(answer, np.int32)
            if seen is not None:
                items = items[~np.isin(items, seen.row(place))]
            scores = self._vectors[items] @ queries[place]
            order = np.argsort(-scores, kind="stable")[:k]
            item_idx[place, : len(order)], score[place, : len(order)] = items[order], scores[order]
        return Neighbours(item_idx=item_idx, score=score)
