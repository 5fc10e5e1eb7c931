import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.sparse import csr_matrix

from recsys.baselines.fitted import ByFactors, ByItems, ByOrder, ByUser
from recsys.baselines.ranking import Ranker, dense_ranker, rank_by, same_for_all_ranker, sparse_ranker, top_k, walking_ranker
from tests.baselines.conftest import data_of_rows

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


@pytest.mark.parametrize("rows", [1, 7, 40])
def test_every_user_gets_the_best_unseen_items_whatever_the_blocks(data_of, random_train, rows):
    scores = np.random.default_rng(1).random((40, 12)).astype(np.float32)
    ranker = dense_ranker(data_of(random_train).taken, lambda user_idx: scores[user_idx])
    blocks = list(Ranker(rank=ranker.rank, rows=rows).lists(40, k=5))
    assert np.concatenate([users for users, _ in blocks]).tolist() == list(range(40))
    lists = np.concatenate([found.item_idx for _, found in blocks])
    for user in range(40):
        unseen = [item for item in np.argsort(-scores[user]) if not random_train[user, item]][:5]
        assert lists[user][: len(unseen)].tolist() == unseen
        assert (lists[user][len(unseen) :] == -1).all()


def test_where_repeats_count_what_was_taken_stays(data_of):
    data, users = data_of([[1, 1, 0]]), np.array([0])
    scores = np.array([[3.0, 2.0, 1.0]], np.float32)
    rankers = (
        dense_ranker(data.taken, lambda user_idx: scores[user_idx]),
        sparse_ranker(data.taken, lambda user_idx: csr_matrix(scores[user_idx])),
        same_for_all_ranker(data.taken, scores[0]),
    )
    for ranker in rankers:
        assert ranker.rank(users, 3, True).item_idx.tolist() == [[0, 1, 2]]
        assert ranker.rank(users, 3, False).item_idx.tolist() == [[2, -1, -1]]


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 999), st.integers(1, 8), st.booleans())
def test_sparse_scores_rank_as_dense_ones_with_popularity_behind_them(seed, k, keeps_seen):
    rng = np.random.default_rng(seed)
    history = rng.random((6, 8)) < 0.4
    history[:, 0] = True
    scores = np.where(rng.random((6, 8)) < 0.4, rng.integers(1, 4, (6, 8)), 0).astype(np.float32)
    popularity = history.sum(0)
    data = _data(history)
    found = sparse_ranker(data.taken, lambda user_idx: csr_matrix(scores[user_idx])).rank(np.arange(6), k, keeps_seen)
    for user in range(6):
        free = [item for item in range(8) if keeps_seen or not history[user, item]]
        scored = sorted((item for item in free if scores[user, item]), key=lambda item: (-scores[user, item], item))
        rest = sorted((item for item in free if not scores[user, item]), key=lambda item: (-popularity[item], item))
        wanted = (scored + rest)[:k]
        assert found.item_idx[user, : len(wanted)].tolist() == wanted
        assert (found.item_idx[user, len(wanted) :] == -1).all()
        assert (np.diff(found.score[user, : len(wanted)]) <= 0).all()


def _data(history):
    rows = [(user, item, 0) for user, item in zip(*np.nonzero(history), strict=True)]
    return data_of_rows(rows, n_items=history.shape[1])


def test_lists_that_are_the_same_for_all_equal_those_of_the_scores_spread_out(data_of):
    rng = np.random.default_rng(3)
    data = data_of((rng.random((40, 25)) < 0.4) | (np.arange(25) == 0))
    scores = rng.integers(0, 6, 25).astype(float)
    for k in (1, 7, 25):
        for keeps_seen in (False, True):
            spread = dense_ranker(data.taken, lambda user_idx: np.broadcast_to(scores, (len(user_idx), 25)))
            wanted = spread.rank(np.arange(40), k, keeps_seen)
            found = same_for_all_ranker(data.taken, scores).rank(np.arange(40), k, keeps_seen)
            assert np.array_equal(found.item_idx, wanted.item_idx)
            assert np.array_equal(found.score, wanted.score)


def test_what_is_not_allowed_is_in_no_list_and_the_rest_keeps_its_order(data_of, random_train):
    data, rng = data_of(random_train), np.random.default_rng(2)
    similarity, allowed = rng.random((12, 12)).astype(np.float32), rng.random(12) < 0.5
    sparse = csr_matrix(np.where(similarity > 0.8, similarity, 0))
    rankers = [
        rank_by(data.taken, ByItems(similarity=csr_matrix(similarity), half_life=None)),
        rank_by(data.taken, ByItems(similarity=sparse, half_life=2.0)),
        rank_by(data.taken, ByUser(scores=csr_matrix(rng.random((40, 12)).astype(np.float32)))),
        rank_by(data.taken, ByFactors(users=rng.random((40, 3)), items=rng.random((12, 3)))),
        rank_by(data.taken, ByOrder(scores=rng.random(12))),
        walking_ranker(data.taken, lambda user, n: np.arange(12)[:n]),
    ]
    users = np.arange(40)
    for keeps_seen in (False, True):
        for ranker in rankers:
            whole = ranker.rank(users, 12, keeps_seen).item_idx
            found = ranker.rank(users, 12, keeps_seen, allowed).item_idx
            for row in range(40):
                wanted = [item for item in whole[row] if item >= 0 and allowed[item]]
                assert [item for item in found[row] if item >= 0] == wanted
