import numpy as np
import pytest

from recsys.baselines.als import _solve_rows, als_scores

PLAIN = {"dim": 6, "unobserved_weight": 0.2, "regularisation": 0.01, "seed": 0}


def test_a_rows_vector_cannot_be_moved_for_the_better(data_of, random_train):
    factors = np.random.default_rng(0).normal(size=(12, 5)).astype(np.float32)
    solved = _solve_rows(data_of(random_train).train, factors, weight=0.3, regularisation=0.02).astype(np.float64)
    seen, factors = random_train.astype(np.float64), factors.astype(np.float64)
    scores = solved @ factors.T
    strength = 0.02 * (seen.sum(1) + 0.3 * 12)
    gradient = (seen * (scores - 1)) @ factors + 0.3 * scores @ factors + strength[:, None] * solved
    assert np.abs(gradient).max() < 1e-4


def test_a_user_without_events_has_a_vector_of_zeros(data_of):
    train = np.array([[1, 1, 0], [0, 0, 0]])
    assert not _solve_rows(data_of(train).train, np.ones((3, 2), np.float32), weight=0.3, regularisation=0.1)[1].any()


def test_two_groups_of_users_are_told_apart(data_of):
    train = np.kron(np.eye(2), np.ones((10, 6)))
    train[0, 5] = train[10, 11] = 0
    scores = als_scores(data_of(train), **PLAIN)(np.array([0, 10]))
    assert scores[0, 5] > scores[0, 6:].max() + 0.3
    assert scores[1, 11] > scores[1, :6].max() + 0.3


def test_a_score_is_folded_in_from_the_history_not_from_train(data_of, random_train):
    history = random_train.copy()
    history[3] = random_train[7]
    scores = als_scores(data_of(random_train, history=history), **PLAIN)(np.array([3, 7, 4]))
    np.testing.assert_allclose(scores[0], scores[1], atol=1e-6)
    assert not np.allclose(scores[0], scores[2], atol=1e-3)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_seed_fixes_the_scores(data_of, random_train, seed):
    first, again = (als_scores(data_of(random_train), **(PLAIN | {"seed": seed}))(np.arange(40)) for _ in range(2))
    assert np.array_equal(first, again)
