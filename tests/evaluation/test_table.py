import numpy as np
import pytest

from recsys.evaluation.table import headline_metrics, metric_rows
from recsys.metrics.catalogue import coverage, gini


@pytest.fixture
def lists():
    """100 users' lists of 10 out of 40 items, low numbers preferred."""
    chance = np.linspace(2, 0.1, 40)
    rng = np.random.default_rng(0)
    return np.stack([rng.choice(40, 10, replace=False, p=chance / chance.sum()) for _ in range(100)])


@pytest.fixture
def rows(scored_of, random_hits, lists):
    models = {
        "b": scored_of(random_hits(100, 0.2), item_idx=lists, ks=(5, 10)),
        "a": scored_of(random_hits(100, 0.1, seed=1), item_idx=lists, ks=(5, 10)),
    }
    return metric_rows(models, n_items=40, ks=(5, 10), n_resamples=50, seed=0), models


def _find(rows, model, metric):
    (row,) = [row for row in rows if (row["model"], row["metric"]) == (model, metric)]
    return row


def test_models_keep_their_order_and_each_figure_comes_once(rows):
    table, _ = rows
    assert list(dict.fromkeys(row["model"] for row in table)) == ["b", "a"]
    assert len({(row["model"], row["metric"]) for row in table}) == len(table) == 2 * (3 + 2) * 2
    assert all(row["n_users"] == 100 for row in table)


def test_values_are_means_over_users(rows):
    table, models = rows
    assert _find(table, "b", "ndcg@5")["value"] == pytest.approx(models["b"].per_user["ndcg@5"].mean())


def test_values_lie_inside_their_intervals(rows):
    assert all(row["low"] <= row["value"] <= row["high"] for row in rows[0])


@pytest.mark.parametrize(("name", "figure"), [("coverage", coverage), ("gini", gini)])
def test_catalogue_figures_are_of_the_first_k_of_all_lists(rows, lists, name, figure):
    for k in (5, 10):
        counts = np.bincount(lists[:, :k].ravel(), minlength=40)
        assert _find(rows[0], "a", f"{name}@{k}")["value"] == pytest.approx(figure(counts))


def test_the_same_seed_gives_the_same_rows(rows):
    table, models = rows
    assert metric_rows(models, n_items=40, ks=(5, 10), n_resamples=50, seed=0) == table


def test_the_headline_takes_hits_at_the_length_that_decides_and_recall_at_the_longest() -> None:
    assert headline_metrics(10, [1, 10, 100]) == ["hr@10", "ndcg@10", "recall@100", "coverage@10"]
