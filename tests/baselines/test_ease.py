import numpy as np
import pytest

from recsys.baselines.ease import ease_scores


def _weights(data_of, train, regularisation):
    """Users whose history is one item each get that item's row of the weights."""
    n_items = train.shape[1]
    data = data_of(train, history=np.eye(n_items))
    return ease_scores(data, regularisation=regularisation)(np.arange(n_items)).astype(np.float64)


@pytest.mark.parametrize("regularisation", [0.5, 20.0, 500.0])
def test_the_diagonal_is_zero(data_of, random_train, regularisation):
    assert (np.diag(_weights(data_of, random_train, regularisation)) == 0).all()


@pytest.mark.parametrize("regularisation", [0.5, 20.0, 500.0])
def test_no_other_weight_can_be_moved_for_the_better(data_of, random_train, regularisation):
    weights, train = _weights(data_of, random_train, regularisation), random_train.astype(np.float64)
    gradient = train.T @ (train @ weights - train) + regularisation * weights
    np.fill_diagonal(gradient, 0)
    assert np.abs(gradient).max() < 1e-4


def test_each_column_is_the_ridge_regression_of_its_item_on_the_others(data_of, random_train):
    weights, train = _weights(data_of, random_train, 3.0), random_train.astype(np.float64)
    others = np.delete(train, 4, axis=1)
    wanted = np.linalg.solve(others.T @ others + 3.0 * np.eye(11), others.T @ train[:, 4])
    np.testing.assert_allclose(np.delete(weights[:, 4], 4), wanted, atol=1e-5)


def test_a_score_is_the_sum_over_the_history_not_over_train(data_of, random_train):
    weights = _weights(data_of, random_train, 20.0)
    history = np.random.default_rng(0).random((40, 12)) < 0.3
    scores = ease_scores(data_of(random_train, history=history), regularisation=20.0)(np.array([7, 3]))
    np.testing.assert_allclose(scores, history[[7, 3]] @ weights, atol=1e-5)
