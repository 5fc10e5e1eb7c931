"""Implicit alternating least squares: matrix factorisation in which everything that was not seen is a weak zero."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from recsys.baselines.fitted import ByFactors
from recsys.baselines.ranking import Ranker, rank_by
from recsys.baselines.train_matrix import BaselineData

Factors = NDArray[np.float32]
_ITERATIONS = 12
_REGULARISATION = 0.01
_BLOCK_ROWS = 1024


def fit_als(data: BaselineData, *, dim: int, unobserved_weight: float, seed: int) -> Factors:
    """Item factors, by 12 passes over users and items.

    The regularisation is 0.01 times the weight of all pairs of a row, so that long rows are held as firmly as short ones.

    Args:
        data: The histories.
        dim: D.
        unobserved_weight: Weight of each pair that was not seen, against 1 for those that were.
        seed: Of the first item factors.

    Returns:
        Shape (I, D).

    Source: Hu et al., "Collaborative Filtering for Implicit Feedback Datasets", ICDM 2008, eq. 4 and 5, with the objective
    of Rendle et al., "Revisiting the Performance of iALS", RecSys 2022, eq. 2 to 4.
    """
    rng = np.random.default_rng(seed)
    items: Factors = rng.normal(0, 0.1 / dim**0.5, (data.n_items, dim)).astype(np.float32)
    by_item = data.taken.history.T.tocsr()
    for _ in range(_ITERATIONS):
        users = solve_rows(data.taken.history, items, weight=unobserved_weight)
        items = solve_rows(by_item, users, weight=unobserved_weight)
    return items


def als_ranker(data: BaselineData, items: Factors, *, unobserved_weight: float) -> Ranker:
    """A user's vector is the least-squares answer to the history; an item scores its product with it.

    Args:
        data: The histories.
        items: Shape (I, D), from `fit_als`.
        unobserved_weight: As it was fitted with.
    """
    users = solve_rows(data.taken.history, items, weight=unobserved_weight)
    return rank_by(data.taken, ByFactors(users=users, items=items))


def solve_rows(seen: csr_matrix, factors: Factors, *, weight: float, block_entries: int = 1 << 16) -> Factors:
    """The best vector of each row of `seen`, shape (R, D), for given factors of its columns, shape (C, D).

    Rows are solved together as long as they have at most `block_entries` entries, each counted as long as the longest.
    """
    gram = weight * (factors.T @ factors)
    length = np.diff(seen.indptr)
    solved = np.zeros((seen.shape[0], factors.shape[1]), np.float32)
    order = np.argsort(length, kind="stable")
    begin = int(np.searchsorted(length[order], 1))
    while begin < len(order):
        ahead = order[begin : begin + _BLOCK_ROWS]
        fits = length[ahead] * np.arange(1, len(ahead) + 1) <= block_entries  # padded to the longest, which comes last
        rows = ahead[: max(1, int(fits.sum()))]
        width = int(length[rows].max())
        inside = np.arange(width) < length[rows][:, None]  # (B, S)
        position = np.where(inside, seen.indptr[rows][:, None] + np.arange(width), 0)
        own = factors[seen.indices[position]] * inside[..., None]  # (B, S, D)
        strength = _REGULARISATION * (length[rows] + weight * len(factors))
        left = gram + own.transpose(0, 2, 1) @ own + strength[:, None, None] * np.eye(factors.shape[1], dtype=np.float32)
        solved[rows] = np.linalg.solve(left, own.sum(1)[..., None])[..., 0]
        begin += len(rows)
    return solved
