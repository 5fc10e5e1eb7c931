"""EASE: the closed-form linear autoencoder over items."""

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import inv

from recsys.baselines.ranking import ScoreBlock, Scores
from recsys.baselines.train_matrix import BaselineData


def ease_scores(data: BaselineData, *, regularisation: float) -> ScoreBlock:
    """Fit item-to-item weights with a zero diagonal on train, and apply them to the history.

    Needs I² float64 numbers two or three times, and time in the order of I³: for catalogues of some ten thousand items.

    Args:
        data: Train and history.
        regularisation: Added to the diagonal of the Gram matrix.

    Source: Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019, eq. 8.
    """
    gram = (data.train.T @ data.train).toarray().astype(np.float64)
    gram[np.diag_indices_from(gram)] += regularisation
    precision = inv(gram, overwrite_a=True, check_finite=False)
    precision /= -np.diag(precision).copy()
    precision[np.diag_indices_from(precision)] = 0
    weights = precision.astype(np.float32)

    def score(user_idx: NDArray[np.int64]) -> Scores:
        scores: Scores = data.history[user_idx] @ weights
        return scores

    return score
