import numpy as np
import pytest

from recsys.evaluation.comparison import advise, compare_to_baselines, find_artefacts, is_proved, state_artefacts, state_verdict


@pytest.fixture
def compare(scored_of, random_hits):
    """Compare a model with some chance of a hit at each rank with baselines of theirs."""

    def run(model, **baselines):
        others = {
            name: scored_of(random_hits(400, chance, seed=position))
            for position, (name, chance) in enumerate(baselines.items(), 1)
        }
        return compare_to_baselines(scored_of(random_hits(400, model)), others, metric="hr@10", n_resamples=200, seed=0), others

    return run


def test_a_clearly_better_model_beats_every_baseline_and_the_strongest_is_named(compare):
    rows, others = compare(0.2, weak=0.01, strong=0.05)
    verdict = state_verdict("ours", rows)
    assert verdict.startswith("ours beats every baseline on HR@10; the best of them is strong, by +0.")
    assert [row.baseline for row in rows] == ["strong", "weak"]
    assert rows[0].baseline_value == others["strong"].per_user["hr@10"].mean()


def test_a_worse_model_does_not_beat_and_the_baseline_that_wins_is_named(compare):
    verdict = state_verdict("ours", compare(0.05, weak=0.01, strong=0.2)[0])
    assert verdict.startswith("ours does NOT beat on HR@10: strong (-0.")
    assert "weak" not in verdict


def test_an_equal_baseline_is_not_beaten(scored_of, random_hits):
    ours = scored_of(random_hits(400, 0.1))
    rows = compare_to_baselines(ours, {"twin": ours}, metric="hr@10", n_resamples=50, seed=0)
    assert not rows[0].is_beaten and not rows[0].is_better
    assert state_verdict("ours", rows).startswith("ours is NOT distinguishable on HR@10 from: twin (+0.0000")


def test_a_better_mean_whose_interval_holds_zero_is_no_win(scored_of):
    ours, other = np.zeros((50, 10), bool), np.zeros((50, 10), bool)
    ours[:2, 0], other[2, 0] = True, True
    rows = compare_to_baselines(scored_of(ours), {"other": scored_of(other)}, metric="hr@10", n_resamples=500, seed=0)
    assert rows[0].difference.value > 0
    assert not rows[0].is_beaten
    assert "is NOT distinguishable on HR@10 from: other (+0.0200" in state_verdict("ours", rows)


def test_a_difference_is_the_mean_over_users_of_model_minus_baseline(scored_of, random_hits):
    ours, other = scored_of(random_hits(60, 0.3)), scored_of(random_hits(60, 0.1, seed=1))
    row = compare_to_baselines(ours, {"other": other}, metric="ndcg@10", n_resamples=100, seed=0)[0]
    assert row.difference.value == pytest.approx((ours.per_user["ndcg@10"] - other.per_user["ndcg@10"]).mean())
    assert row.difference.low < row.difference.value < row.difference.high


def test_without_baselines_nothing_is_proved(compare):
    rows, _ = compare(0.2)
    assert rows == []
    assert state_verdict("ours", rows) == "ours was compared with no baseline, so nothing is proved."


def test_a_baseline_that_the_catalogue_is_too_large_for_is_named_and_does_not_stand_in_the_way(compare):
    rows = compare(0.3, weak=0.01)[0]
    assert is_proved(rows) and not is_proved([])
    assert state_verdict("ours", rows, left_out=["ease", "als"]).endswith("too large for them: ease, als.")


@pytest.fixture
def artefacts(scored_of, random_hits):
    """What is found of rules with some chance of a hit forwards and backwards, beside popularity with one."""

    def find(popularity, **rules):
        scored = {
            name: tuple(scored_of(random_hits(500, chance, seed=7 + position)) for position, chance in enumerate(chances))
            for name, chances in rules.items()
        }
        popular = None if popularity is None else scored_of(random_hits(500, popularity, seed=1))
        return find_artefacts(scored, popular, metric="hr@10", n_resamples=300, seed=0)

    return find


def test_a_rule_on_order_alone_that_beats_popularity_is_an_artefact_and_nothing_is_proved(compare, artefacts):
    found = artefacts(0.01, next_id=(0.1, 0.01), next_row=(0.01, 0.01))
    assert [each.name for each in found] == ["next_id"]
    rows = compare(0.3, weak=0.01)[0]
    assert is_proved(rows) and not is_proved(rows, artefacts=found)
    assert state_artefacts(found).startswith("No figure of this protocol can be trusted: next_id reach HR@10 0.")


def test_the_rules_are_named_in_words(artefacts):
    found = artefacts(0.01, **{"next-id": (0.1, 0.01), "next-row": (0.2, 0.01)})
    assert [each.in_words.partition(" reach ")[0] for each in found] == [
        "the next rows among those of one time",
        "the next ids in sort order",
    ]


def test_a_rule_that_is_as_good_backwards_tells_that_neighbours_are_alike_and_is_no_artefact(artefacts):
    assert artefacts(0.01, next_id=(0.1, 0.1)) == []
    assert artefacts(0.01, next_id=(0.1, 0.08)) == []


def test_a_rule_below_popularity_is_no_artefact(artefacts):
    assert artefacts(0.2, next_id=(0.1, 0.01)) == []
    assert [each.name for each in artefacts(None, next_id=(0.1, 0.01))] == ["next_id"]
    assert find_artefacts({}, None, metric="hr@10", n_resamples=9, seed=0) == []


def test_among_many_equals_one_that_looks_better_is_not_better(scored_of, random_hits):
    ours = scored_of(random_hits(200, 0.1, seed=100))
    equals = {f"m{seed:02}": scored_of(random_hits(200, 0.1, seed=seed)) for seed in range(60)}
    rows = compare_to_baselines(ours, equals, metric="hr@10", n_resamples=1000, seed=0)
    by_interval = [row for row in rows if row.difference.low > 0 or row.difference.high < 0]
    assert len(by_interval) > len([row for row in rows if row.is_beaten or row.is_better]) == 0


def test_baselines_that_are_better_are_told_apart_from_those_that_cannot_be(compare):
    verdict = state_verdict("ours", compare(0.05, weak=0.001, equal=0.05, strong=0.2)[0])
    assert verdict.startswith("ours does NOT beat on HR@10: strong (-0.")
    assert ", and is NOT distinguishable on HR@10 from: equal (" in verdict
    assert "weak" not in verdict


def test_the_advice_is_in_plain_words_and_follows_what_was_found(compare, artefacts):
    good, bad, equal = compare(0.3, weak=0.01)[0], compare(0.05, **{"item-knn": 0.2})[0], compare(0.05, equal=0.05)[0]
    assert advise(good, is_proved=True).startswith("Use this model")
    told = advise(bad, is_proved=False)
    assert told.startswith("Do not use this model yet: a simple rule, item-knn, does better.") and "item_knn.parquet" in told
    assert advise(equal, is_proved=False).startswith("Not proved: this model cannot be told apart")
    found = artefacts(0.01, **{"next-id": (0.1, 0.01)})
    assert advise(good, artefacts=found, is_proved=False).startswith("Do not use this model: the log gives away")
    assert advise(good, is_proved=False) == advise([], is_proved=False) == "Not proved: see the reason below."
