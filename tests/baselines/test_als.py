import numpy as np
import pytest
from scipy.sparse import csr_matrix

from recsys.baselines import als
from recsys.baselines.als import als_ranker, fit_als, solve_rows


@pytest.mark.parametrize("block", [1, 40, 1 << 16])
def test_a_rows_vector_cannot_be_moved_for_the_better_whatever_the_blocks(random_train, block):
    factors = np.random.default_rng(0).normal(size=(12, 5)).astype(np.float32)
    solved = solve_rows(csr_matrix(random_train), factors, weight=0.3, block_entries=block).astype(np.float64)
    seen, factors = random_train.astype(np.float64), factors.astype(np.float64)
    scores = solved @ factors.T
    strength = 0.01 * (seen.sum(1) + 0.3 * 12)
    gradient = (seen * (scores - 1)) @ factors + 0.3 * scores @ factors + strength[:, None] * solved
    assert np.abs(gradient).max() < 1e-4


def test_a_user_without_events_has_a_vector_of_zeros():
    train = csr_matrix(np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]]))
    assert not solve_rows(train, np.ones((3, 2), np.float32), weight=0.3)[1].any()


def test_two_groups_of_users_are_told_apart(data_of, scores_of):
    train = np.kron(np.eye(2), np.ones((10, 6)))
    train[0, 5] = train[10, 11] = 0
    data = data_of(train)
    ranker = als_ranker(data, fit_als(data, dim=6, unobserved_weight=0.2, seed=0), unobserved_weight=0.2)
    scores = scores_of(ranker, [0, 10], n_items=12)
    assert scores[0, 5] > scores[0, 6:].max() + 0.3
    assert scores[1, 11] > scores[1, :6].max() + 0.3


@pytest.mark.parametrize("seed", [0, 1])
def test_the_seed_fixes_the_factors(data_of, random_train, seed):
    first, again = (fit_als(data_of(random_train), dim=6, unobserved_weight=0.2, seed=seed) for _ in range(2))
    assert np.array_equal(first, again)


def test_a_block_is_no_larger_than_its_limit_though_one_row_is_very_long(monkeypatch):
    widths, solve = [], np.linalg.solve
    monkeypatch.setattr(als.np.linalg, "solve", lambda left, right: widths.append(len(left)) or solve(left, right))
    rows = np.zeros((40, 50))
    rows[:, 0] = rows[39, :] = 1
    solve_rows(csr_matrix(rows), np.ones((50, 3), np.float32), weight=0.3, block_entries=64)
    assert widths == [39, 1]  # 39 rows of one item are 39 entries; the row of 50 stands alone
