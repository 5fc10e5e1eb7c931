import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from recsys.baselines import ranking
from recsys.baselines.ranking import rank_same_for_all, rank_unseen, top_k

_SCORES = hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 4), st.integers(1, 9)),
    elements=st.sampled_from([-np.inf, -1.0, 0.0, 0.5, 2.0]).map(np.float32),
)


@settings(deadline=None, max_examples=40)
@given(_SCORES, st.integers(1, 9))
def test_top_k_is_a_stable_sort_of_each_row(scores, k):
    k = min(k, scores.shape[1])
    found = top_k(scores, k=k)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    values = np.take_along_axis(scores, order, 1)
    assert found.score.tolist() == values.tolist()
    assert found.item_idx.tolist() == np.where(np.isneginf(values), -1, order).tolist()


def test_equal_scores_come_in_the_order_of_the_columns():
    assert top_k(np.zeros((2, 50), np.float32), k=7).item_idx.tolist() == [list(range(7))] * 2


def test_minus_infinity_is_never_returned():
    found = top_k(np.array([[-np.inf, 1, -np.inf]], np.float32), k=2)
    assert found.item_idx.tolist() == [[1, -1]]


@pytest.mark.parametrize("block_scores", [1, 25, 1 << 24])
def test_every_user_gets_the_best_unseen_items_whatever_the_blocks(data_of, random_train, monkeypatch, block_scores):
    monkeypatch.setattr(ranking, "_BLOCK_SCORES", block_scores)
    scores = np.random.default_rng(1).random((40, 12)).astype(np.float32)
    blocks = list(rank_unseen(data_of(random_train), lambda user_idx: scores[user_idx], k=5))
    assert np.concatenate([users for users, _ in blocks]).tolist() == list(range(40))
    lists = np.concatenate([found.item_idx for _, found in blocks])
    for user in range(40):
        unseen = [item for item in np.argsort(-scores[user]) if not random_train[user, item]][:5]
        assert lists[user][: len(unseen)].tolist() == unseen
        assert (lists[user][len(unseen) :] == -1).all()


def test_items_of_the_history_are_seen_too(data_of):
    data = data_of([[1, 0, 0]], history=[[1, 1, 0]])
    _, found = next(rank_unseen(data, lambda users: np.ones((len(users), 3)), k=3))
    assert found.item_idx.tolist() == [[2, -1, -1]]


def test_the_scores_given_are_not_changed(data_of):
    scores = np.ones((1, 3), np.float32)
    list(rank_unseen(data_of([[1, 0, 0]]), lambda users: scores, k=2))
    assert (scores == 1).all()


def test_lists_that_are_the_same_for_all_equal_those_of_the_scores_spread_out(data_of):
    rng = np.random.default_rng(3)
    data = data_of((rng.random((40, 25)) < 0.4).astype(int))
    scores = rng.integers(0, 6, 25).astype(float)
    for k in (1, 7, 25):
        spread = list(rank_unseen(data, lambda user_idx: np.broadcast_to(scores, (len(user_idx), 25)), k=k))
        once = list(rank_same_for_all(data, scores, k=k))
        assert np.array_equal(np.concatenate([n.item_idx for _, n in once]), np.concatenate([n.item_idx for _, n in spread]))
        assert np.array_equal(np.concatenate([n.score for _, n in once]), np.concatenate([n.score for _, n in spread]))
