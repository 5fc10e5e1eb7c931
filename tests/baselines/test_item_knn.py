import math

import numpy as np
import pytest

from recsys.baselines import item_knn
from recsys.baselines.item_knn import item_knn_scores


def _naive(train, history, *, n_neighbours, shrinkage):
    """Scores by loops: an item's neighbours are those whose similarity reaches its n-th largest."""
    n_items = train.shape[1]
    similarity = np.zeros((n_items, n_items))
    for first in range(n_items):
        for second in range(n_items):
            common = sum(row[first] * row[second] for row in train)
            if first != second and common:
                length = math.sqrt(sum(row[first] for row in train)) * math.sqrt(sum(row[second] for row in train))
                similarity[first, second] = common / length * common / (common + shrinkage)
    scores = np.zeros(history.shape)
    for item in range(n_items):
        least = sorted(similarity[item], reverse=True)[min(n_neighbours, n_items) - 1]
        for user, row in enumerate(history):
            scores[user, item] = sum(
                similarity[item, other] for other in range(n_items) if row[other] and similarity[item, other] >= least - 1e-7
            )
    return scores


@pytest.mark.parametrize("shrinkage", [0.0, 10.0])
@pytest.mark.parametrize("n_neighbours", [1, 4, 12, 100])
def test_scores_are_those_of_the_loops(data_of, random_train, n_neighbours, shrinkage):
    history = (np.random.default_rng(0).random((40, 12)) < 0.3).astype(np.float32)
    score = item_knn_scores(data_of(random_train, history=history), n_neighbours=n_neighbours, shrinkage=shrinkage)
    wanted = _naive(random_train, history, n_neighbours=n_neighbours, shrinkage=shrinkage)
    np.testing.assert_allclose(score(np.arange(40)), wanted, atol=1e-5)


def test_the_size_of_blocks_changes_nothing(data_of, random_train, monkeypatch):
    data, users = data_of(random_train), np.arange(40)
    whole = item_knn_scores(data, n_neighbours=3, shrinkage=2.0)(users)
    monkeypatch.setattr(item_knn, "_BLOCK", 5)
    np.testing.assert_array_equal(item_knn_scores(data, n_neighbours=3, shrinkage=2.0)(users), whole)


def test_an_item_is_not_its_own_neighbour(data_of):
    scores = item_knn_scores(data_of(np.eye(3)), n_neighbours=3, shrinkage=0.0)(np.arange(3))
    assert (scores == 0).all()


def test_shrinkage_prefers_the_pair_that_many_users_share(data_of):
    # Items 0 and 1 share their only user; items 2 and 3 share nine of ten.
    train = np.zeros((12, 4))
    train[0, :2] = 1
    train[1:11, 2] = train[2:12, 3] = 1
    data = data_of(train, history=[[1, 0, 1, 0]])
    plain, shrunk = (item_knn_scores(data, n_neighbours=4, shrinkage=s)(np.array([0]))[0] for s in (0.0, 10.0))
    assert plain[1] > plain[3]
    assert shrunk[1] < shrunk[3]
