import numpy as np
import polars as pl
import pytest

from recsys.evaluation.judgements import build_judgements
from recsys.evaluation.segments import judge_part, rank_metrics, segment_rows
from recsys.metrics.rank import ndcg
from recsys.metrics.relevance import recall


@pytest.fixture
def judgements():
    """Ann takes one item that train knows and one that it does not, Bob one that it does not."""
    train = pl.DataFrame({"user_id": ["ann", "bob", "cem"], "item_id": ["a", "a", "b"]})
    test = pl.DataFrame({"user_id": ["ann", "ann", "bob"], "item_id": ["b", "new", "new"]})
    return build_judgements(train, train.clear(), test), pl.Series(["a", "b"])


def test_items_that_train_knows_and_all_others_are_judged_apart(judgements):
    whole, known = judgements
    warm, cold = (judge_part(whole, known, is_cold=is_cold) for is_cold in (False, True))
    assert warm.pairs.rows() == [("ann", "b")]
    assert cold.pairs.rows() == [("ann", "new"), ("bob", "new")]
    assert warm.n_relevant.rows() == [("ann", 1)] and cold.n_relevant.rows() == [("ann", 1), ("bob", 1)]


def test_metrics_of_ranks_are_those_of_the_lists():
    figures = rank_metrics(np.array([1, 4, 2, 900]), np.array([0, 0, 1, 2]), ks=[3, 5])
    hits = np.array([[1, 0, 0, 1, 0], [0, 1, 0, 0, 0], [0, 0, 0, 0, 0]], bool)
    n_relevant = np.array([2, 1, 1])
    for k in (3, 5):
        np.testing.assert_allclose(figures[f"recall@{k}"], recall(hits, n_relevant, ks=[k])[:, 0])
        np.testing.assert_allclose(figures[f"ndcg@{k}"], ndcg(hits, n_relevant, ks=[k])[:, 0])


def test_rows_have_the_mean_and_its_interval():
    (row,) = segment_rows("cold items", {"ours": {"recall@3": np.array([0.0, 1.0, 1.0])}}, n_resamples=50, seed=0)
    assert (row["segment"], row["model"], row["metric"], row["n_users"]) == ("cold items", "ours", "recall@3", 3)
    assert row["value"] == pytest.approx(2 / 3)
    assert row["low"] <= row["value"] <= row["high"]
