"""Implicit alternating least squares: matrix factorisation in which everything that was not seen is a weak zero."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from recsys.baselines.ranking import ScoreBlock, Scores
from recsys.baselines.train_matrix import BaselineData

Factors = NDArray[np.float32]
_ITERATIONS = 12


def als_scores(data: BaselineData, *, dim: int, unobserved_weight: float, regularisation: float, seed: int) -> ScoreBlock:
    """Fit item factors on train, then fold each history in: a user's vector is the least-squares answer to the history.

    Args:
        data: Train and history.
        dim: D, size of the factors.
        unobserved_weight: Weight of each pair that was not seen, against 1 for those that were.
        regularisation: Times the weight of all pairs of a row, so that long rows are held as firmly as short ones.
        seed: Of the first item factors.

    Source: Hu et al., "Collaborative Filtering for Implicit Feedback Datasets", ICDM 2008, eq. 4 and 5, with the objective
    of Rendle et al., "Revisiting the Performance of iALS", RecSys 2022, eq. 2 to 4.
    """
    solve = {"weight": unobserved_weight, "regularisation": regularisation}
    rng = np.random.default_rng(seed)
    items: Factors = rng.normal(0, 0.1 / dim**0.5, (data.train.shape[1], dim)).astype(np.float32)
    by_item = data.train.T.tocsr()
    for _ in range(_ITERATIONS):
        users = _solve_rows(data.train, items, **solve)
        items = _solve_rows(by_item, users, **solve)

    def score(user_idx: NDArray[np.int64]) -> Scores:
        return _solve_rows(data.history[user_idx], items, **solve) @ items.T

    return score


def _solve_rows(seen: csr_matrix, factors: Factors, *, weight: float, regularisation: float) -> Factors:
    """The best vector of each row of `seen`, shape (R, D), for given factors of its columns, shape (C, D)."""
    gram = weight * (factors.T @ factors)
    solved = np.zeros((seen.shape[0], factors.shape[1]), np.float32)
    eye = np.eye(factors.shape[1], dtype=np.float32)
    for row in range(seen.shape[0]):
        own = factors[seen.indices[seen.indptr[row] : seen.indptr[row + 1]]]  # (S, D)
        if len(own):
            strength = regularisation * (len(own) + weight * len(factors))
            solved[row] = np.linalg.solve(gram + own.T @ own + strength * eye, own.sum(0))
    return solved
