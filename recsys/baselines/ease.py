"""EASE: the closed-form linear autoencoder over items, with a history that may fade."""

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import inv
from scipy.sparse import csr_matrix

from recsys.baselines.fitted import ByItems
from recsys.baselines.ranking import Ranker, rank_by
from recsys.baselines.train_matrix import BaselineData

N_WEIGHTS = 1_000


def fit_ease(data: BaselineData, *, regularisation: float) -> NDArray[np.float32]:
    """Item-to-item weights with a zero diagonal.

    Needs I² float64 numbers two or three times, and time in the order of I³: for catalogues of some ten thousand items.

    Args:
        data: The histories.
        regularisation: Added to the diagonal of the Gram matrix.

    Returns:
        Shape (I, I).

    Source: Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019, eq. 8.
    """
    gram = (data.taken.history.T @ data.taken.history).toarray().astype(np.float64)
    gram[np.diag_indices_from(gram)] += regularisation
    precision = inv(gram, overwrite_a=True, check_finite=False)
    precision /= -np.diag(precision).copy()
    precision[np.diag_indices_from(precision)] = 0
    return np.asarray(precision, np.float32)


def ease_ranker(data: BaselineData, weights: NDArray[np.float32], *, half_life: float | None) -> Ranker:
    """An item scores the sum of its weights from the user's history, of each item the 1,000 that are farthest from 0.

    Args:
        data: The histories.
        weights: Shape (I, I), from `fit_ease`.
        half_life: Later events at which an item of the history counts half; None for all alike.
    """
    return rank_by(data.taken, ByItems(similarity=_farthest(weights), half_life=half_life))


def _farthest(weights: NDArray[np.float32], *, n: int = N_WEIGHTS) -> csr_matrix:
    """Of each row the entries that are farthest from 0."""
    kept = min(n, weights.shape[1])
    column = np.argpartition(-np.abs(weights), kept - 1, axis=1)[:, :kept]
    row = np.repeat(np.arange(len(weights)), kept)
    found = csr_matrix((np.take_along_axis(weights, column, 1).ravel(), (row, column.ravel())), shape=weights.shape)
    found.eliminate_zeros()
    return found
