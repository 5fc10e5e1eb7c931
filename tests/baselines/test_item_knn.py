import math

import numpy as np
import pytest

from recsys.baselines.item_knn import fit_item_knn, item_knn_ranker


def _weights(train, weighting):
    """Each user's entry in an item's row by loops. Shape (I, U)."""
    n_users, n_items = train.shape
    idf = [max(math.log(n_items) - math.log1p(row.sum()), 0) for row in train]
    mean = train.sum(0).mean()
    table = np.zeros((n_items, n_users))
    for item in range(n_items):
        for user in range(n_users):
            if train[user, item]:
                norm = 1.2 * (1 - 0.75 + 0.75 * train[:, item].sum() / mean)
                table[item, user] = {"cosine": 1, "tf-idf": idf[user], "bm25": idf[user] * 2.2 / (norm + 1)}[weighting]
        if weighting != "bm25":
            table[item] /= math.sqrt((table[item] ** 2).sum())
    return table


@pytest.mark.parametrize("weighting", ["cosine", "tf-idf", "bm25"])
def test_similarities_are_those_of_the_loops(data_of, random_train, weighting):
    weights = _weights(random_train, weighting)
    wanted = np.zeros((12, 12))
    for first in range(12):
        for second in range(12):
            other = _weights(random_train, "bm25") if weighting == "bm25" else weights
            wanted[first, second] = 0 if first == second else sum(weights[first] * other[second])
    found = fit_item_knn(data_of(random_train), weighting=weighting).toarray()
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_shrinkage_prefers_the_pair_that_many_users_share(data_of):
    # Items 0 and 1 share their only user; items 2 and 3 share nine of eleven.
    train = np.zeros((12, 4))
    train[0, :2] = 1
    train[1:11, 2] = train[2:12, 3] = 1
    plain, shrunk = (fit_item_knn(data_of(train), weighting="cosine", shrinkage=s).toarray() for s in (0.0, 10.0))
    assert plain[0, 1] > plain[2, 3]
    assert shrunk[0, 1] < shrunk[2, 3]
    assert shrunk[2, 3] == pytest.approx(plain[2, 3] * 9 / 19)


@pytest.mark.parametrize("half_life", [None, 2.0])
def test_a_score_sums_over_the_history_with_its_weights(data_of, random_train, scores_of, half_life):
    data = data_of(random_train)
    similarity = fit_item_knn(data, weighting="cosine")
    found = scores_of(item_knn_ranker(data, similarity, half_life=half_life), np.arange(40), n_items=12)
    wanted = data.taken.weights(half_life).toarray() @ similarity.toarray()
    np.testing.assert_allclose(np.where(wanted > 0, found, 0), wanted, atol=1e-5)


def test_only_the_last_items_of_a_very_long_history_are_counted(data_of):
    similarity = fit_item_knn(data_of(np.ones((2, 6))), weighting="cosine", longest_history=3).toarray()
    assert (similarity[:3] == 0).all()
    assert similarity[3, 4] == pytest.approx(1)


def test_only_the_nearest_are_kept(data_of, random_train):
    similarity = fit_item_knn(data_of(random_train), weighting="cosine", n_neighbours=2).toarray()
    assert ((similarity > 0).sum(1) >= 2).all()
    assert (similarity > 0).sum() < 12 * 5
