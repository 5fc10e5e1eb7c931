import numpy as np
import polars as pl
import pytest

from recsys.evaluation.comparison import compare_to_baselines
from recsys.evaluation.group_scores import find_falls, group_metrics, score_groups
from recsys.evaluation.groups import Group, item_groups
from recsys.evaluation.judgements import build_judgements
from recsys.evaluation.scope import ScopeScores
from recsys.evaluation.score import score_candidates

USERS = [f"u{number:02d}" for number in range(90)]


def _scored(lists, judgements, catalogue, name):
    rows = [(user, item, rank) for user, items in lists.items() for rank, item in enumerate(items, start=1)]
    table = pl.DataFrame(rows, schema={"user_id": pl.String, "item_id": pl.String, "rank": pl.Int32}, orient="row")
    return score_candidates(table.lazy(), judgements, catalogue, ks=[1, 2], name=name)


@pytest.fixture
def scores():
    """All took a and half of them b; ours finds a for all, the rule b for those who took it and a below."""
    catalogue = pl.DataFrame({"item_id": ["a", "b", "c"], "count": [5, 3, 1]})
    train = pl.DataFrame({"user_id": USERS, "item_id": ["c"] * 90})
    test = pl.DataFrame({"user_id": USERS + USERS[:45], "item_id": ["a"] * 90 + ["b"] * 45})
    judgements = build_judgements(train, train.clear(), test)
    models = {
        "ours": _scored({user: ["a", "c"] for user in USERS}, judgements, catalogue, "ours"),
        "rule": _scored({user: ["b", "a"] for user in USERS}, judgements, catalogue, "rule"),
    }
    compared = compare_to_baselines(models["ours"], {"rule": models["rule"]}, metric="ndcg@1", n_resamples=50, seed=0)
    scores = ScopeScores(
        scope="new", model="ours", judgements=judgements, tables={}, models=models, rows=[], comparisons=compared, artefacts=[]
    )
    return scores, catalogue


def test_of_a_group_of_items_only_these_are_relevant_and_only_who_took_one_is_judged(scores):
    found, catalogue = scores
    group = Group(segment="item", name="b", items=np.array([False, True, False]))
    figures = group_metrics(found.models["rule"], found.judgements, catalogue, group, ks=[1, 2])
    assert len(figures["hr@1"]) == 45 and figures["ndcg@1"].mean() == 1 and figures["recall@2"].mean() == 1
    assert group_metrics(found.models["ours"], found.judgements, catalogue, group, ks=[1])["hr@1"].sum() == 0


def test_a_group_that_loses_more_than_it_may_is_named_with_its_loss(scores):
    found, catalogue = scores
    groups = item_groups(catalogue, None, columns=[])
    rows, falls = score_groups(found, groups, catalogue, k=1, ks=[1, 2], largest_fall=0.2, n_resamples=50, seed=0)
    assert [fall.group for fall in falls] == [groups[1].label]
    assert falls[0].in_words == "popularity: the 1 less popular items loses 100% of NDCG@1 against rule (1.0000)"
    assert {row["segment"] for row in rows} == {groups[0].label, groups[1].label}, "nobody took an item of the third"
    assert {row["metric"] for row in rows} == {f"{name}@{k}" for name in ("hr", "ndcg", "recall") for k in (1, 2)}


def test_small_losses_small_groups_and_chance_hold_nothing_back():
    rng = np.random.default_rng(0)
    theirs = {"large": np.full(500, 0.5), "small": np.full(20, 0.5), "chance": rng.random(40)}
    ours = {"large": np.full(500, 0.45), "small": np.zeros(20), "chance": rng.random(40) * 0.9}
    assert not find_falls(ours, theirs, other="rule", metric="ndcg@10", most=0.2, n_resamples=200, seed=0)
    (fall,) = find_falls(ours, theirs, other="rule", metric="ndcg@10", most=0.05, n_resamples=200, seed=0)
    assert fall.group == "large" and fall.difference.value == pytest.approx(-0.05)
