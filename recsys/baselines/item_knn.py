"""Item k-nearest neighbours by the users who have them: cosine, tf-idf or BM25, and a history that may fade."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags

from recsys.baselines.fitted import ByItems
from recsys.baselines.item_similarity import N_NEIGHBOURS, keep_nearest
from recsys.baselines.ranking import Ranker, rank_by
from recsys.baselines.train_matrix import BaselineData

Weighting = Literal["cosine", "tf-idf", "bm25"]
_K1, _B = 1.2, 0.75


def fit_item_knn(
    data: BaselineData,
    *,
    weighting: Weighting,
    shrinkage: float = 0.0,
    n_neighbours: int = N_NEIGHBOURS,
    longest_history: int = 1_000,
) -> csr_matrix:
    """What each item of a history says for each other item: their similarity, the nearest of each.

    Args:
        data: The histories.
        weighting: Of users: all alike, less for users with many items (tf-idf), or that with lengths of items saturated (BM25).
        shrinkage: A cosine is multiplied by c / (c + shrinkage) for c common users.
        n_neighbours: How many are kept.
        longest_history: Of a user with more items the last so many count.

    Returns:
        Shape (I, I).

    Source: Sarwar et al., "Item-based Collaborative Filtering", WWW 2001, section 3.1.1; shrinkage: Koren, KDD 2008, eq. 2;
        tf-idf and BM25: `nearest_neighbours.py` of the library implicit, with items as documents and users as terms.
    """
    taken = _recent(data, longest_history)
    if weighting == "cosine":
        length = np.sqrt(np.bincount(taken.indices, minlength=data.n_items)).astype(np.float32)

        def cosine(row: NDArray[np.int64], column: NDArray[np.int32], common: NDArray[np.float32]) -> NDArray[np.float32]:
            shrunk = common / (common + shrinkage) if shrinkage else np.float32(1)
            return np.asarray(common / (length[row] * length[column]) * shrunk, np.float32)

        return keep_nearest(taken.T.tocsr(), taken, rescale=cosine, n_neighbours=n_neighbours)
    weighted = _tf_idf(taken) if weighting == "tf-idf" else _bm25(taken)  # (I, U)
    return keep_nearest(weighted, weighted.T.tocsr(), n_neighbours=n_neighbours)


def item_knn_ranker(data: BaselineData, similarity: csr_matrix, *, half_life: float | None) -> Ranker:
    """An item scores the sum of what the items of the user's history say for it.

    Args:
        data: The histories.
        similarity: Shape (I, I), from `fit_item_knn`.
        half_life: Later events at which an item of the history counts half; None for all alike.
    """
    return rank_by(data.taken, ByItems(similarity=similarity, half_life=half_life))


def _recent(data: BaselineData, longest: int) -> csr_matrix:
    """The histories without what lies too far back. Shape (U, I)."""
    if np.diff(data.taken.history.indptr).max(initial=0) <= longest:
        return data.taken.history
    kept = data.taken.history.copy()
    kept.data = (data.taken.age.data < longest).astype(np.float32)
    kept.eliminate_zeros()
    return kept


def _idf(taken: csr_matrix) -> NDArray[np.float32]:
    """Of each user, among all items. Shape (U,)."""
    return np.asarray((np.log(taken.shape[1]) - np.log1p(np.diff(taken.indptr))).clip(min=0), np.float32)


def _tf_idf(taken: csr_matrix) -> csr_matrix:
    """Unit rows. Shape (I, U)."""
    weighted = (taken.T @ diags(_idf(taken))).tocsr()
    length = np.sqrt(np.asarray(weighted.multiply(weighted).sum(1)).ravel())
    return (diags(1 / np.maximum(length, 1e-12)) @ weighted).tocsr().astype(np.float32)


def _bm25(taken: csr_matrix) -> csr_matrix:
    """Shape (I, U)."""
    n_users = np.bincount(taken.indices, minlength=taken.shape[1])
    norm = 1 - _B + _B * n_users / max(n_users.mean(), 1e-12)
    weighted = diags((_K1 + 1) / (_K1 * norm + 1)) @ taken.T @ diags(_idf(taken))
    return weighted.tocsr().astype(np.float32)
