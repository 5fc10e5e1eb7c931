from dataclasses import replace

import pytest

from recsys.baselines.facts import BaselinesFacts
from recsys.data.facts import IngestFacts
from recsys.evaluation.protocol import (
    state_baselines,
    state_epoch,
    state_request_time,
    state_split,
    state_ties,
    state_train_part,
)
from recsys.features.facts import PairsFacts
from recsys.models.facts import TrainFacts
from recsys.splits.facts import SplitFacts

LAST_OUT = SplitFacts(
    protocol="leave_last_out",
    has_validation=True,
    by_moment=False,
    validation_start=None,
    cut=None,
    n_train=10,
    n_validation=2,
    n_test=2,
    n_users_all_train=0,
    n_test_events_of_new_users=0,
    n_cold_items=0,
    n_cold_test_events=0,
    n_withheld_events=0,
    n_test_pairs=2,
    n_repeated_test_pairs=0,
    repeat_share=0.0,
)
TEMPORAL = replace(LAST_OUT, protocol="temporal", validation_start="2020-01-06T00:00:00+00:00", cut="2020-01-09T12:30:00+00:00")
PAIRS = PairsFacts(
    n_users=3,
    n_items=4,
    n_train=10,
    n_validation=2,
    n_unknown_validation=0,
    has_time=True,
    request_time="held_out_event",
    n_users_without_request_time=0,
    n_item_categories=0,
    n_user_categories=0,
    n_item_rows_cut=0,
    n_user_rows_cut=0,
    text_dim=0,
    search_columns=["all"],
    search_dim=0,
)
TRAIN = TrainFacts(
    n_parameters=1,
    n_epochs=5,
    best_epoch=3,
    best_validation_ndcg=0.12345,
    n_validation_users=2,
    n_pairs=10,
    loss="full softmax",
    device="cpu",
    precision="float32",
    threads=1,
    spin_count="0",
    n_workers=1,
    starts_from_pretrained=False,
)


def test_the_rule_of_a_cut_names_both_moments() -> None:
    assert state_split(TEMPORAL) == (
        "one cut for all users: test from 2020-01-09 12:30:00 on, validation from 2020-01-06 00:00:00 to there"
    )
    assert state_train_part(TEMPORAL).startswith("those before 2020-01-06 00:00:00; validation events are in the histories")


@pytest.mark.parametrize(
    ("change", "ends"),
    [
        ({}, "the second last validation"),
        ({"has_validation": False}, "there is no validation part"),
        ({"n_users_all_train": 2}, "; 2 users with fewer than 3 events are all train"),
        ({"by_moment": True}, "all events of each user's last moment are test, the second last validation"),
        ({"by_moment": True, "n_users_all_train": 2}, "; 2 users with fewer than 3 moments are all train"),
        ({"n_users_all_train": 2, "has_validation": False}, "; 2 users with fewer than 2 events are all train"),
        ({"n_cold_items": 6, "n_withheld_events": 41}, "; 6 items withheld wholly, with 41 train and validation events"),
    ],
)
def test_the_rule_of_leave_last_out_says_what_is_held_out_and_left_out(change: dict, ends: str) -> None:
    assert state_split(replace(LAST_OUT, **change)).endswith(ends)


def test_what_train_is_follows_the_protocol() -> None:
    assert state_train_part(LAST_OUT).startswith("all but each user's last two events")
    assert state_train_part(replace(LAST_OUT, has_validation=False)) == "all but each user's last event"
    assert state_train_part(replace(LAST_OUT, by_moment=True)).startswith("all but each user's last two moments")


@pytest.mark.parametrize(
    ("request_time", "n_without", "reads_times", "stated"),
    [
        ("held_out_event", 0, True, "known: the time of the user's held-out event"),
        ("held_out_event", 1, True, "known: the time of the user's held-out event; not known for users without one (1)"),
        ("cut", 0, True, "known: the cut, 2020-01-09T12:30:00+00:00"),
        ("unknown", 0, True, "not known: only the gaps between past events are read"),
        ("held_out_event", 0, False, "no times at all: the model reads order only"),
    ],
)
def test_the_request_time_that_is_assumed_is_stated(request_time: str, n_without: int, reads_times: bool, stated: str) -> None:
    pairs = replace(PAIRS, request_time=request_time, n_users_without_request_time=n_without)
    assert state_request_time(pairs, TEMPORAL, reads_times=reads_times) == stated


@pytest.mark.parametrize(
    ("ndcg", "has_validation", "stated"),
    [
        (0.12345, True, "epoch 3 of 5 is kept, the best on validation: NDCG@10 0.1235"),
        (None, True, "no validation event can be judged: trained for 5 epochs, the last is kept"),
        (None, False, "no validation part: trained for 5 epochs, the last is kept"),
    ],
)
def test_the_choice_of_the_epoch_is_stated(ndcg: float | None, has_validation: bool, stated: str) -> None:
    assert state_epoch(replace(TRAIN, best_validation_ndcg=ndcg), has_validation=has_validation) == stated


def test_ties_are_counted_and_their_order_is_named() -> None:
    ingest = IngestFacts(
        n_events=9,
        n_users=3,
        n_items=4,
        has_time=True,
        n_tied_events=1234,
        ties="shuffled",
        tie_fixed_share=0.93,
        tie_ascending_share=0.6,
        is_tie_order_sorted=False,
        ties_seed=4,
        items_without_attributes=0,
        items_without_events=0,
        users_without_attributes=0,
        end=None,
        source_files={},
        licence="",
    )
    assert state_ties(ingest) == "1,234 events share their user's previous time, and stand shuffled, seed 4"
    assert state_ties(replace(ingest, ties="sets", is_tie_order_sorted=True)) == (
        "1,234 events share their user's previous time, and stand as sets without an order; the file sorts them: two items "
        "stand in one and the same order in 93% of cases, ids ascend in 60% (50% by chance)"
    )


def test_the_baselines_say_what_they_know_and_how_they_were_chosen() -> None:
    facts = BaselinesFacts(
        n_users=3,
        k=10,
        skipped=[],
        largest_catalogue=9,
        artefacts=[],
        chosen={
            "new": {
                "popularity": {},
                "item_knn": {"weighting": "bm25", "half_life": 10.0},
                "blend": {"item_knn": 1.0, "random": 0.0},
            }
        },
        validation_ndcg={"new": {"item_knn": 0.1}},
        n_tried=17,
    )
    stated = state_baselines(facts, scope="new", has_validation=True)
    assert stated.startswith("fitted on all events before the test, validation among them")
    assert stated.endswith(
        "17 settings tried, the best on validation taken: item-knn (weighting bm25, half life 10), blend (item knn 1)"
    )
    unjudged = state_baselines(replace(facts, validation_ndcg={"new": {}}), scope="new", has_validation=False)
    assert unjudged.startswith("fitted on train,") and unjudged.endswith("since nobody can be judged on validation")
