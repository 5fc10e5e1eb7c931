import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.metrics.rank import average_precision, graded_ndcg, graded_recall, ndcg, rank_biased_precision, reciprocal_rank
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
    values = metric(judged_lists.hits, judged_lists.n_relevant, ks=[k])[:, 0]
    written_out = [oracle(*pair, k) for pair in zip(judged_lists.ranked, judged_lists.relevant, strict=True)]
    np.testing.assert_allclose(values, judged_lists.by_ranx[f"{ranx_name}@{k}"], rtol=0, atol=1e-9)
    np.testing.assert_allclose(values, written_out, rtol=0, atol=1e-12)


@settings(deadline=None, max_examples=40)
@given(_ROWS, st.integers(0, 5), st.integers(1, 15))
def test_values_lie_between_0_and_1(row, n_missed, k):
    hits, n_relevant = np.array([row]), np.array([sum(row) + n_missed])
    for metric in _METRICS:
        assert 0 <= metric(hits, n_relevant, ks=[k])[0, 0] <= 1 + 1e-12


@settings(deadline=None, max_examples=40)
@given(_ROWS, st.integers(0, 3), st.integers(1, 12), st.data())
def test_a_better_rank_never_scores_lower(row, n_missed, k, data):
    rank = data.draw(st.integers(1, len(row) - 1))
    better = row[:]
    if row[rank] and not row[rank - 1]:
        better[rank - 1], better[rank] = True, False
    n_relevant = np.array([sum(row) + n_missed])
    for metric in _METRICS:
        assert metric(np.array([better]), n_relevant, ks=[k])[0, 0] >= metric(np.array([row]), n_relevant, ks=[k])[0, 0] - 1e-12


@pytest.mark.parametrize("metric", _METRICS)
def test_a_better_rank_of_the_only_hit_scores_higher(metric):
    values = [metric(np.eye(6, dtype=bool)[[rank]], np.array([1]), ks=[6])[0, 0] for rank in range(6)]
    assert values == sorted(values, reverse=True)
    assert len(set(values)) == 6


@pytest.mark.parametrize("metric", _METRICS)
def test_a_list_that_begins_with_all_relevant_items_scores_one(metric):
    assert metric(np.array([[True, True, True, False]]), np.array([3]), ks=[4])[0, 0] == pytest.approx(1, abs=1e-12)


def test_ndcg_is_one_when_k_is_smaller_than_the_number_of_relevant_items_and_all_k_hit():
    assert ndcg(np.array([[True, True]]), np.array([9]), ks=[2])[0, 0] == pytest.approx(1, abs=1e-12)


def test_mrr_is_half_when_the_second_item_is_relevant():
    assert reciprocal_rank(np.array([[False, True, True]]), np.array([2]), ks=[3])[0, 0] == 0.5


def test_map_counts_relevant_items_that_were_not_found():
    assert average_precision(np.array([[True, False]]), np.array([4]), ks=[2])[0, 0] == 0.25


@pytest.mark.parametrize("metric", _METRICS)
def test_k_beyond_the_list_is_no_error(metric):
    assert metric(np.array([[True]]), np.array([1]), ks=[10])[0, 0] == pytest.approx(1, abs=1e-12)


@given(_ROWS, st.integers(1, 15), st.floats(0.1, 0.95))
def test_rank_biased_precision_is_the_expected_share_of_hits_that_a_reader_sees(row, k, persistence):
    chance, expected = 1.0, 0.0
    for hit in row[:k]:
        expected += (1 - persistence) * chance * hit
        chance *= persistence
    value = rank_biased_precision(np.array([row]), np.array([1]), ks=[k], persistence=persistence)[0, 0]
    assert value == pytest.approx(expected, abs=1e-12)


def gain_matrices(lists):
    """What each rank is worth, and what each relevant item is, the most first."""
    gains = np.zeros(lists.hits.shape)
    for user, (items, own) in enumerate(zip(lists.ranked, lists.gains, strict=True)):
        gains[user, : len(items)] = [own.get(item, 0) for item in items]
    best = np.array([sorted(own.values(), reverse=True) + [0] * (40 - len(own)) for own in lists.gains], float)
    return gains, best


@pytest.mark.slow
def test_graded_ndcg_is_that_of_ranx_and_of_ir_measures(judged_lists):
    gains, best = gain_matrices(judged_lists)
    found = graded_ndcg(gains, best, ks=[1, 5, 10])
    by_others = oracles.ir_measures_values(judged_lists.ranked, judged_lists.gains, metrics=["nDCG@1", "nDCG@5", "nDCG@10"])
    for column, k in enumerate((1, 5, 10)):
        np.testing.assert_allclose(found[:, column], judged_lists.graded_by_ranx[f"ndcg@{k}"], atol=1e-9)
        np.testing.assert_allclose(found[:, column], by_others[f"nDCG@{k}"], atol=1e-9)


def test_where_all_gains_are_alike_graded_figures_are_the_plain_ones():
    rng = np.random.default_rng(0)
    hits = rng.random((50, 20)) < 0.2
    n_relevant = hits.sum(1) + rng.integers(1, 4, 50)
    best = 2.5 * (np.arange(30) < n_relevant[:, None])
    np.testing.assert_allclose(graded_ndcg(2.5 * hits, best, ks=[1, 5, 20]), ndcg(hits, n_relevant, ks=[1, 5, 20]))
    np.testing.assert_allclose(graded_recall(2.5 * hits, best.sum(1), ks=[5])[:, 0], hits[:, :5].sum(1) / n_relevant)


def test_recall_weighted_by_propensity_has_the_mean_of_full_data_where_popular_items_are_seen_more_often():
    rng = np.random.default_rng(1)
    propensity = np.array([1.0, 0.1])  # of a common and of a rare item, which all users like both
    listed, n_users = np.array([True, False]), 200_000  # the list has the common one alone: true recall is a half
    observed = rng.random((n_users, 2)) < propensity
    gains, whole = observed * listed / propensity, (observed / propensity).sum(1)
    plain = (observed * listed).sum() / observed.sum()
    assert plain > 0.9
    debiased = (graded_recall(gains, whole, ks=[2])[:, 0] * whole).sum() / whole.sum()
    assert debiased == pytest.approx(0.5, abs=0.01)
