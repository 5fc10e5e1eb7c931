import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.metrics.rank import average_precision, ndcg, rank_biased_precision, reciprocal_rank
from tests import oracles

_METRICS = [ndcg, reciprocal_rank, average_precision]
_PAIRS = [
    (ndcg, oracles.ndcg, "ndcg"),
    (reciprocal_rank, oracles.reciprocal_rank, "mrr"),
    (average_precision, oracles.average_precision, "map"),
]
_ROWS = st.lists(st.booleans(), min_size=2, max_size=12)


@pytest.mark.slow
@pytest.mark.parametrize("k", [1, 5, 10])
@pytest.mark.parametrize(("metric", "oracle", "ranx_name"), _PAIRS)
def test_metric_agrees_with_ranx_and_with_the_sum_written_out(judged_lists, metric, oracle, ranx_name, k):
    values = metric(judged_lists.hits, judged_lists.n_relevant, k=k)
    written_out = [oracle(*pair, k) for pair in zip(judged_lists.ranked, judged_lists.relevant, strict=True)]
    np.testing.assert_allclose(values, judged_lists.by_ranx[f"{ranx_name}@{k}"], rtol=0, atol=1e-9)
    np.testing.assert_allclose(values, written_out, rtol=0, atol=1e-12)


@settings(deadline=None, max_examples=40)
@given(_ROWS, st.integers(0, 5), st.integers(1, 15))
def test_values_lie_between_0_and_1(row, n_missed, k):
    hits, n_relevant = np.array([row]), np.array([sum(row) + n_missed])
    for metric in _METRICS:
        assert 0 <= metric(hits, n_relevant, k=k)[0] <= 1 + 1e-12


@settings(deadline=None, max_examples=40)
@given(_ROWS, st.integers(0, 3), st.integers(1, 12), st.data())
def test_a_better_rank_never_scores_lower(row, n_missed, k, data):
    rank = data.draw(st.integers(1, len(row) - 1))
    better = row[:]
    if row[rank] and not row[rank - 1]:
        better[rank - 1], better[rank] = True, False
    n_relevant = np.array([sum(row) + n_missed])
    for metric in _METRICS:
        assert metric(np.array([better]), n_relevant, k=k)[0] >= metric(np.array([row]), n_relevant, k=k)[0] - 1e-12


@pytest.mark.parametrize("metric", _METRICS)
def test_a_better_rank_of_the_only_hit_scores_higher(metric):
    values = [metric(np.eye(6, dtype=bool)[[rank]], np.array([1]), k=6)[0] for rank in range(6)]
    assert values == sorted(values, reverse=True)
    assert len(set(values)) == 6


@pytest.mark.parametrize("metric", _METRICS)
def test_a_list_that_begins_with_all_relevant_items_scores_one(metric):
    assert metric(np.array([[True, True, True, False]]), np.array([3]), k=4)[0] == pytest.approx(1, abs=1e-12)


def test_ndcg_is_one_when_k_is_smaller_than_the_number_of_relevant_items_and_all_k_hit():
    assert ndcg(np.array([[True, True]]), np.array([9]), k=2)[0] == pytest.approx(1, abs=1e-12)


def test_mrr_is_half_when_the_second_item_is_relevant():
    assert reciprocal_rank(np.array([[False, True, True]]), np.array([2]), k=3)[0] == 0.5


def test_map_counts_relevant_items_that_were_not_found():
    assert average_precision(np.array([[True, False]]), np.array([4]), k=2)[0] == 0.25


@pytest.mark.parametrize("metric", _METRICS)
def test_k_beyond_the_list_is_no_error(metric):
    assert metric(np.array([[True]]), np.array([1]), k=10)[0] == pytest.approx(1, abs=1e-12)


@given(_ROWS, st.integers(1, 15), st.floats(0.1, 0.95))
def test_rank_biased_precision_is_the_expected_share_of_hits_that_a_reader_sees(row, k, persistence):
    chance, expected = 1.0, 0.0
    for hit in row[:k]:
        expected += (1 - persistence) * chance * hit
        chance *= persistence
    value = rank_biased_precision(np.array([row]), np.array([1]), k=k, persistence=persistence)[0]
    assert value == pytest.approx(expected, abs=1e-12)
