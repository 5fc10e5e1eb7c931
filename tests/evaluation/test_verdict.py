import dataclasses
from types import SimpleNamespace

import pytest

from recsys.candidates.facts import RetrieveFacts
from recsys.evaluation.comparison import Artefact, Comparison
from recsys.evaluation.group_scores import Fall
from recsys.evaluation.health import HealthSection
from recsys.evaluation.intervals import Interval
from recsys.evaluation.verdict import decide

GOOD = Interval(value=0.1, low=0.05, high=0.15)
SOUND = HealthSection(verdict="The embeddings are sound.", is_sound=True, lines=[], pictures=[])
COLLAPSED = dataclasses.replace(SOUND, verdict="The embeddings are collapsed.", is_sound=False)
FALL = Fall(
    group="activity: few",
    other="ease",
    metric="ndcg@10",
    other_value=0.2,
    difference=Interval(value=-0.1, low=-0.2, high=-0.05),
)
ARTEFACT = Artefact(name="next-id", metric="ndcg@10", value=0.3, over_popularity=GOOD, over_reverse=GOOD)


def _scores(*, model="fusion", scope="new", better=0.1, artefacts=()):
    interval = Interval(value=better, low=better - 0.05, high=better + 0.05)
    row = Comparison(baseline="ease", metric="ndcg@10", baseline_value=0.2, difference=interval, p_value=0.001)
    return SimpleNamespace(model=model, scope=scope, rivals=[row], artefacts=list(artefacts))


@pytest.fixture
def judge():
    def run(*scores, health=SOUND, falls=(), left_out=(), **retrieved):
        empty = {field.name: None for field in dataclasses.fields(RetrieveFacts)}
        told = RetrieveFacts(**(empty | {"scope": "new", "is_filtered": False, "sources": ["two_tower", "ease"]} | retrieved))
        return decide(scores or [_scores()], health=health, falls=falls, retrieved=told, left_out=left_out)

    return run


def test_lists_that_beat_every_rule_are_to_be_used(judge):
    found = judge(left_out=["als"])
    assert found.is_proved and found.advice.startswith("Use these lists")
    assert found.text.startswith("fusion beats every baseline") and found.text.endswith("too large for them: als.")


@pytest.mark.parametrize(
    ("against", "begins"),
    [
        ({"health": COLLAPSED}, "The embeddings are collapsed."),
        ({"is_filtered": True}, "Nothing is proved: filters hold for the lists of fusion alone"),
        ({"scope": "all"}, "Nothing is proved: no test event is of all items, repeats included"),
        (
            {"falls": [FALL]},
            "Held back for a part of users or items that would lose more than they may: activity: few loses 50% of",
        ),
    ],
)
def test_whatever_speaks_against_them_holds_them_back_and_comes_first(judge, against, begins):
    found = judge(**against)
    assert not found.is_proved and found.advice.startswith("Not yet: the figures are good enough")
    assert found.text.startswith(begins) and "fusion beats every baseline" in found.text


def test_vectors_that_no_list_comes_from_hold_nothing_back(judge):
    assert judge(health=COLLAPSED, sources=["ease"]).is_proved


def test_where_a_rule_is_better_anyway_parts_are_not_named(judge):
    found = judge(_scores(better=-0.1), falls=[FALL])
    assert not found.is_proved and "Held back" not in found.text
    assert "a simple rule, ease, does better" in found.advice


def test_an_order_that_gives_the_test_away_comes_before_all_else(judge):
    found = judge(_scores(artefacts=[ARTEFACT]), health=COLLAPSED)
    assert found.text.startswith("No figure of this protocol can be trusted") and not found.is_proved
    second = judge(_scores(), _scores(scope="all", artefacts=[ARTEFACT]))
    assert second.is_proved and "With what users took before: No figure of this protocol can be trusted" in second.text
