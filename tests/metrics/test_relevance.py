import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.metrics.relevance import hit_rate, precision, r_precision, recall
from tests import oracles

_PAIRS = [
    (hit_rate, oracles.hit_rate, "hit_rate"),
    (recall, oracles.recall, "recall"),
    (precision, oracles.precision, "precision"),
]


@pytest.mark.slow
@pytest.mark.parametrize("k", [1, 5, 10])
@pytest.mark.parametrize(("metric", "oracle", "ranx_name"), _PAIRS)
def test_metric_agrees_with_ranx_and_with_the_sum_written_out(judged_lists, metric, oracle, ranx_name, k):
    values = metric(judged_lists.hits, judged_lists.n_relevant, ks=[k])[:, 0]
    written_out = [oracle(*pair, k) for pair in zip(judged_lists.ranked, judged_lists.relevant, strict=True)]
    np.testing.assert_allclose(values, judged_lists.by_ranx[f"{ranx_name}@{k}"], rtol=0, atol=1e-9)
    np.testing.assert_allclose(values, written_out, rtol=0, atol=1e-12)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.booleans(), min_size=1, max_size=12), st.integers(0, 5), st.integers(1, 15))
def test_values_lie_between_0_and_1(row, n_missed, k):
    hits, n_relevant = np.array([row]), np.array([sum(row) + n_missed])
    for metric, _, _ in _PAIRS:
        assert 0 <= metric(hits, n_relevant, ks=[k])[0, 0] <= 1


@settings(deadline=None, max_examples=40)
@given(st.permutations([True, True, False, False, False, True]))
def test_order_inside_the_list_changes_nothing(row):
    hits, n_relevant = np.array([row]), np.array([4])
    assert [metric(hits, n_relevant, ks=[6])[0, 0] for metric, _, _ in _PAIRS] == [1.0, 0.75, 0.5]


def test_precision_of_a_short_list_is_still_divided_by_k():
    assert precision(np.array([[True, True]]), np.array([2]), ks=[10])[0, 0] == 0.2


def test_recall_is_one_when_a_long_list_finds_everything():
    assert recall(np.array([[False, True, True]]), np.array([2]), ks=[3])[0, 0] == 1.0


def test_hits_below_rank_k_do_not_count():
    hits = np.array([[False, False, True]])
    assert [metric(hits, np.array([1]), ks=[2])[0, 0] for metric, _, _ in _PAIRS] == [0.0, 0.0, 0.0]


def test_r_precision_looks_at_as_many_ranks_as_there_are_relevant_items_and_no_further_than_k():
    hits = np.array([[False, True, True, True]])
    assert r_precision(hits, np.array([3]), ks=[1, 2, 3, 4]).tolist() == [[0, 1 / 3, 2 / 3, 2 / 3]]
