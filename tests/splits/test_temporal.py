"""The temporal split knows one moment for all, and asks about known users only."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from recsys.core.errors import DataError
from recsys.data.schema import TIME
from recsys.splits.leakage import check_no_leakage
from recsys.splits.parts import Split
from recsys.splits.temporal import split_temporal

_START = datetime(2020, 1, 1, tzinfo=UTC)
_EVENTS = st.lists(st.tuples(st.sampled_from("uvwx"), st.floats(0, 30)), min_size=4, max_size=40)


def _log(events: list[tuple[str, float]]) -> pl.DataFrame:
    ordered = sorted(events)
    times = [_START + timedelta(days=day) for _, day in ordered]
    return pl.DataFrame(
        {"user_id": [user for user, _ in ordered], "item_id": [f"i{position}" for position in range(len(ordered))]}
    ).with_columns(timestamp=pl.Series(times).cast(TIME))


def _days(frame: pl.DataFrame) -> list[float]:
    return ((frame["timestamp"] - _START).dt.total_seconds() / 86_400).to_list()


def _split(events: list[tuple[str, float]], **windows: float) -> Split:
    return split_temporal(_log(events), **{"validation_share": 0.2, "test_share": 0.2, **windows})


@settings(deadline=None, max_examples=40)
@given(_EVENTS, st.floats(0.05, 0.4), st.floats(0.05, 0.4))
def test_the_parts_are_disjoint_and_complete_but_for_new_users(
    events: list[tuple[str, float]], validation_share: float, test_share: float
) -> None:
    log = _log(events)
    try:
        split = split_temporal(log, validation_share=validation_share, test_share=test_share)
    except DataError:
        assume(False)
    known = {*split.train["user_id"], *split.validation["user_id"]}
    start = split.validation_start
    rows = log.rows()
    assert split.train.rows() == [row for row in rows if row[2] < start]
    assert split.validation.rows() == [row for row in rows if start <= row[2] < split.cut]
    assert split.test.rows() == [row for row in rows if row[2] >= split.cut and row[0] in known]
    assert split.n_dropped == sum(row[2] >= split.cut and row[0] not in known for row in rows)
    check_no_leakage(split, n_interactions=log.height, n_dropped=split.n_dropped)


def test_shares_are_shares_of_all_events() -> None:
    split = _split([("u", float(day)) for day in range(10)], validation_share=0.3, test_share=0.2)
    assert [_days(part) for part in (split.train, split.validation, split.test)] == [
        [0, 1, 2, 3, 4],
        [5, 6, 7],
        [8, 9],
    ]
    assert split.cut == _START + timedelta(days=8)


def test_days_take_the_position_of_shares_and_count_back_from_the_last_event() -> None:
    split = _split([("u", float(day)) for day in range(11)], validation_days=3, test_days=2)
    assert split.cut == _START + timedelta(days=8)
    assert _days(split.test) == [8, 9, 10]


def test_the_validation_window_is_as_long_as_asked_though_the_log_is_quiet_before_the_cut() -> None:
    split = _split([("u", day) for day in (0.0, 5.0, 10.0, 20.0)], validation_days=6, test_days=5)
    assert split.cut == _START + timedelta(days=15)
    assert split.validation_start == _START + timedelta(days=9)
    assert _days(split.validation) == [10]


def test_equal_times_never_stand_on_both_sides_of_a_cut() -> None:
    days = [0.0, 1.0, 2.0, 3.0, 3.0, 3.0, 4.0, 4.0, 4.0, 4.0]
    split = _split([("u", day) for day in days], validation_share=0.2, test_share=0.1)
    assert [_days(part) for part in (split.train, split.validation, split.test)] == [[0, 1, 2], [3, 3, 3], [4, 4, 4, 4]]


def test_test_events_of_users_without_an_event_before_the_cut_are_dropped_and_counted() -> None:
    events = [("u", float(day)) for day in range(10)] + [("new", 9.0), ("new", 8.5), ("fresh", 7.0), ("fresh", 9.0)]
    split = _split(events, validation_days=1.9, test_days=1.0)
    assert "new" not in {*split.validation["user_id"], *split.test["user_id"]}
    assert "fresh" in set(split.validation["user_id"]) & set(split.test["user_id"])
    assert split.n_dropped == split.n_of_new_users == split.facts().n_test_events_of_new_users == 2


def test_a_test_window_longer_than_the_log_is_refused() -> None:
    with pytest.raises(DataError, match=r"some events must lie before the cut 2019-12-25 00:00:00, got none; shorten"):
        _split([("u", 0.0), ("u", 3.0)], test_days=10)


def test_a_validation_window_that_leaves_no_train_is_refused() -> None:
    with pytest.raises(DataError, match=r"the train part must hold events of known users, got none.*change the windows"):
        _split([("u", 0.0), ("u", 1.0), ("u", 3.0)], test_days=1, validation_days=30)


def test_parts_of_new_users_only_are_refused_by_name() -> None:
    with pytest.raises(DataError, match="the validation part must hold events of known users"):
        _split([("u", 0.0), ("v", 5.0), ("u", 9.0)], validation_share=0.34, test_share=0.34)
    with pytest.raises(DataError, match="the test part must hold events of known users"):
        _split([("u", 0.0), ("u", 5.0), ("v", 9.0)], validation_share=0.34, test_share=0.34)


def test_the_facts_name_both_moments_and_count_the_parts() -> None:
    facts = _split([("u", float(day)) for day in range(10)], validation_share=0.3, test_share=0.2).facts()
    assert (facts.validation_start, facts.cut) == ("2020-01-06T00:00:00+00:00", "2020-01-09T00:00:00+00:00")
    assert (facts.n_train, facts.n_validation, facts.n_test) == (5, 3, 2)


def test_windows_count_back_from_the_end_that_is_given():
    log = _log([("u", day) for day in range(10)] + [("v", 1.0), ("v", 8.5)])
    early = split_temporal(log, validation_share=0.1, test_share=0.1, test_days=2)
    late = split_temporal(log, validation_share=0.1, test_share=0.1, test_days=2, end=_START + timedelta(days=10))
    assert (early.cut, late.cut) == (_START + timedelta(days=7), _START + timedelta(days=8))
