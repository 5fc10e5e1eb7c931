import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.metrics.judge import METRICS, find_hits, hits_of_ranks, judge
from tests import oracles

_IR_MEASURES = {"P": "precision", "R": "recall", "nDCG": "ndcg", "RR": "mrr", "AP": "map", "Success": "hr"}


@pytest.mark.slow
def test_it_is_ranx_for_every_metric_and_k(judged_lists):
    found = judge(judged_lists.hits, judged_lists.n_relevant, ks=[1, 5, 10, 12])
    names = {"hit_rate": "hr", "r-precision": "r_precision"}
    for name, values in judged_lists.by_ranx.items():
        metric, _, k = name.partition("@")
        np.testing.assert_allclose(found[f"{names.get(metric, metric)}@{k or 12}"], values, atol=1e-9)


def test_it_is_ir_measures_for_every_metric_and_k(judged_lists):
    found = judge(judged_lists.hits, judged_lists.n_relevant, ks=[1, 5, 10, 12])
    ones = [dict.fromkeys(items, 1) for items in judged_lists.relevant]
    names = {f"{name}@{k}": f"{ours}@{k}" for name, ours in _IR_MEASURES.items() for k in (1, 5, 10)} | {
        "Rprec": "r_precision@12"
    }
    by_others = oracles.ir_measures_values(judged_lists.ranked, ones, metrics=list(names))
    for name, ours in names.items():
        np.testing.assert_allclose(found[ours], by_others[name], atol=1e-9, err_msg=name)


@given(st.integers(0, 2**32 - 1))
def test_all_list_lengths_and_blocks_of_users_at_once_are_each_on_its_own(seed):
    rng = np.random.default_rng(seed)
    hits = rng.random((700, 300)) < 0.02
    n_relevant = hits.sum(1) + rng.integers(1, 4, 700)
    together = judge(hits, n_relevant, ks=[1, 7, 300, 400])
    for user in rng.integers(0, 700, 2):
        for k in (1, 7, 300, 400):
            alone = judge(hits[[user], :k], n_relevant[[user]], ks=[k])
            for name, values in alone.items():
                assert together[name][user] == pytest.approx(values[0], abs=1e-12)


def test_a_pair_that_stands_there_twice_counts_once_and_an_unknown_item_is_a_miss():
    hits, n_relevant = find_hits(np.array([[3, 1], [2, -1]]), np.array([0, 0, 1]), np.array([3, 3, 9]))
    assert hits.tolist() == [[True, False], [False, False]]
    assert n_relevant.tolist() == [1, 1]


@given(st.lists(st.integers(1, 12), min_size=1, max_size=8, unique=True))
def test_ranks_and_lists_come_to_the_same(ranks):
    relevant = np.array(ranks) - 1
    lists = np.arange(12)[None]
    by_list = find_hits(lists, np.zeros(len(ranks), np.int64), relevant)
    by_rank = hits_of_ranks(np.array(ranks), np.zeros(len(ranks), np.int64), longest=12)
    assert by_list[0].tolist() == by_rank[0].tolist()
    assert by_list[1].tolist() == by_rank[1].tolist()


@pytest.mark.parametrize("name", list(METRICS))
def test_a_better_rank_never_scores_lower(name):
    scores = [judge(np.eye(5, dtype=bool)[[row]], np.array([1]), ks=[5], metrics=[name])[f"{name}@5"][0] for row in range(5)]
    assert scores == sorted(scores, reverse=True)
