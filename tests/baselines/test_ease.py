import numpy as np
import pytest

from recsys.baselines.ease import N_WEIGHTS, ease_ranker, fit_ease


@pytest.fixture
def weights_of(data_of, random_train):
    return lambda regularisation: fit_ease(data_of(random_train), regularisation=regularisation).astype(np.float64)


@pytest.mark.parametrize("regularisation", [0.5, 20.0, 500.0])
def test_the_diagonal_is_zero(weights_of, regularisation):
    assert (np.diag(weights_of(regularisation)) == 0).all()


@pytest.mark.parametrize("regularisation", [0.5, 20.0, 500.0])
def test_no_other_weight_can_be_moved_for_the_better(weights_of, random_train, regularisation):
    weights, train = weights_of(regularisation), random_train.astype(np.float64)
    gradient = train.T @ (train @ weights - train) + regularisation * weights
    np.fill_diagonal(gradient, 0)
    assert np.abs(gradient).max() < 1e-4


def test_each_column_is_the_ridge_regression_of_its_item_on_the_others(weights_of, random_train):
    weights, train = weights_of(3.0), random_train.astype(np.float64)
    others = np.delete(train, 4, axis=1)
    wanted = np.linalg.solve(others.T @ others + 3.0 * np.eye(11), others.T @ train[:, 4])
    np.testing.assert_allclose(np.delete(weights[:, 4], 4), wanted, atol=1e-5)


@pytest.mark.parametrize("half_life", [None, 1.5])
def test_a_score_is_the_sum_over_the_history_with_its_weights(data_of, random_train, scores_of, half_life):
    data = data_of(random_train)
    weights = fit_ease(data, regularisation=20.0)
    scores = scores_of(ease_ranker(data, weights, half_life=half_life), [7, 3], n_items=12)
    wanted = data.taken.weights(half_life)[[7, 3]].toarray() @ weights
    np.testing.assert_allclose(np.where(wanted > 0, scores, 0), np.maximum(wanted, 0), atol=1e-5)


def test_of_each_row_the_weights_farthest_from_zero_are_kept(data_of):
    rng = np.random.default_rng(0)
    data = data_of(np.maximum(rng.random((60, 1_100)) < 0.05, np.eye(60, 1_100)))
    weights = fit_ease(data, regularisation=5.0)
    kept = ease_ranker(data, weights, half_life=None).fitted.similarity.toarray()
    assert ((kept != 0).sum(1) <= N_WEIGHTS).all() and ((kept == 0) | (kept == weights)).all()
    dropped = np.where(kept == 0, np.abs(weights), 0).max(1)
    assert (np.where(kept == 0, np.inf, np.abs(kept)).min(1) >= dropped).all()
