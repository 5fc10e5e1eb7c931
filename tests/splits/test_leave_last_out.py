"""Leave-last-out cuts each history before its last two events, and nothing is lost."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.core.errors import DataError
from recsys.data.schema import TIME
from recsys.splits.leakage import check_no_leakage
from recsys.splits.leave_last_out import split_leave_last_out

_HISTORIES = st.dictionaries(st.sampled_from("tuvwxyz"), st.lists(st.integers(0, 3), min_size=1, max_size=6), min_size=1)


def _log(histories: dict[str, list[int]]) -> pl.DataFrame:
    """One row an event; the item tells the row's position in the log."""
    rows = [(user, second) for user in sorted(histories) for second in sorted(histories[user])]
    return pl.DataFrame(
        {"user_id": [user for user, _ in rows], "item_id": [f"i{position}" for position in range(len(rows))]}
    ).with_columns(timestamp=pl.Series([second * 1_000_000 for _, second in rows], dtype=pl.Int64).cast(TIME))


@settings(deadline=None, max_examples=40)
@given(_HISTORIES)
def test_the_last_event_is_test_the_one_before_validation_and_the_rest_train(histories: dict[str, list[int]]) -> None:
    log = _log(histories | {"z": [0, 1, 2]})
    split = split_leave_last_out(log)
    train, validation, test = [], [], []
    for user in log["user_id"].unique().sort():
        items = log.filter(pl.col("user_id") == user)["item_id"].to_list()
        if len(items) < 3:
            train += items
            continue
        train, validation, test = train + items[:-2], [*validation, items[-2]], [*test, items[-1]]
    assert split.train["item_id"].to_list() == train
    assert split.validation["item_id"].to_list() == validation
    assert split.test["item_id"].to_list() == test


@settings(deadline=None, max_examples=40)
@given(_HISTORIES)
def test_the_parts_are_disjoint_complete_and_pass_the_leakage_check(histories: dict[str, list[int]]) -> None:
    log = _log(histories | {"z": [0, 1, 2]})
    split = split_leave_last_out(log)
    parts = (split.train, split.validation, split.test)
    assert pl.concat(parts).sort("user_id", "timestamp", "item_id").equals(log.sort("user_id", "timestamp", "item_id"))
    check_no_leakage(split, n_interactions=log.height)


def test_the_facts_tell_how_many_users_are_all_train() -> None:
    split = split_leave_last_out(_log({"u": [1], "v": [1, 2], "w": [1, 2, 3]}))
    assert split.facts().n_users_all_train == 2
    assert split.facts().protocol == "leave_last_out"
    assert split.cut is split.facts().cut is None


def test_equal_times_are_cut_in_the_order_of_the_rows() -> None:
    split = split_leave_last_out(_log({"u": [5, 5, 5, 5]}))
    parts = (split.train, split.validation, split.test)
    assert [part["item_id"].to_list() for part in parts] == [["i0", "i1"], ["i2"], ["i3"]]


def test_the_columns_are_those_of_the_log() -> None:
    log = _log({"u": [1, 2, 3]}).with_columns(weight=pl.Series([1.0, 2.0, 3.0]))
    split = split_leave_last_out(log)
    for part in (split.train, split.validation, split.test):
        assert part.schema == log.schema
    assert split.test["weight"].to_list() == [3.0]


@pytest.mark.parametrize(("histories", "longest"), [({"u": [1, 2], "v": [1]}, 2), ({}, 0)])
def test_a_log_without_a_user_of_3_events_is_refused(histories: dict[str, list[int]], longest: int) -> None:
    log = _log(histories).with_columns(pl.col("user_id", "item_id").cast(pl.String))
    with pytest.raises(DataError, match=f"some user must have 3 events, got at most {longest}; give a longer log"):
        split_leave_last_out(log)


def test_a_log_of_one_basket_a_user_is_told_that_single_events_can_be_held_out() -> None:
    with pytest.raises(DataError, match=r'some user must have 3 moments, got at most 1; hold out single .* ties = "shuffled"'):
        split_leave_last_out(_log({"u": [5, 5, 5, 5]}), by_moment=True)


@settings(deadline=None, max_examples=40)
@given(_HISTORIES)
def test_without_validation_all_but_the_last_event_is_train(histories: dict[str, list[int]]) -> None:
    log = _log(histories | {"z": [0, 1]})
    split = split_leave_last_out(log, validation=False)
    train, test = [], []
    for user in log["user_id"].unique().sort():
        items = log.filter(pl.col("user_id") == user)["item_id"].to_list()
        train, test = (train + items[:-1], test + items[-1:]) if len(items) > 1 else (train + items, test)
    assert split.train["item_id"].to_list() == train
    assert split.test["item_id"].to_list() == test
    assert split.test["user_id"].is_unique().all()
    assert split.validation.is_empty()
    check_no_leakage(split, n_interactions=log.height)


@settings(deadline=None, max_examples=40)
@given(_HISTORIES)
def test_with_and_without_validation_the_same_events_are_test_for_users_of_3_events(histories: dict[str, list[int]]) -> None:
    log = _log(histories | {"z": [0, 1, 2]}).filter(pl.len().over("user_id") >= 3)
    with_it, without = (split_leave_last_out(log, validation=validation) for validation in (True, False))
    assert with_it.test.equals(without.test)
    assert pl.concat([with_it.train, with_it.validation]).sort("item_id").equals(without.train.sort("item_id"))


def test_a_validation_part_without_rows_has_the_columns_of_the_log() -> None:
    log = _log({"u": [1, 2]}).with_columns(weight=pl.Series([1.0, 2.0]))
    split = split_leave_last_out(log, validation=False)
    assert split.validation.schema == log.schema
    assert not split.facts().has_validation


def test_without_validation_a_log_without_a_user_of_2_events_is_refused() -> None:
    with pytest.raises(DataError, match="some user must have 2 events, got at most 1"):
        split_leave_last_out(_log({"u": [1], "v": [1]}), validation=False)


def test_by_moment_the_last_basket_is_test_and_the_one_before_it_validation() -> None:
    split = split_leave_last_out(_log({"a": [5, 5], "u": [5, 5, 6, 7, 7, 7], "v": [7, 7, 8, 8]}), by_moment=True)
    parts = (split.train, split.validation, split.test)
    assert [part.filter(pl.col("user_id") == "u").height for part in parts] == [2, 1, 3]
    assert split.train.filter(pl.col("user_id") != "u").height == 6  # two moments are too few
    assert split.facts().by_moment and split.facts().n_users_all_train == 2


@settings(deadline=None, max_examples=40)
@given(_HISTORIES)
def test_by_moment_no_time_of_a_user_is_in_two_parts_and_distinct_times_are_cut_as_events(
    histories: dict[str, list[int]],
) -> None:
    log = _log(histories | {"z": [0, 1, 2]})
    split = split_leave_last_out(log, by_moment=True)
    times = [set(part.select("user_id", "timestamp").rows()) for part in (split.train, split.validation, split.test)]
    assert not (times[0] & times[1] or times[1] & times[2] or times[0] & times[2])
    assert sum(part.height for part in (split.train, split.validation, split.test)) == log.height
    apart = log.unique(["user_id", "timestamp"], maintain_order=True, keep="first")
    by_event, by_moment = (split_leave_last_out(apart, by_moment=way) for way in (False, True))
    assert by_event.test.equals(by_moment.test) and by_event.validation.equals(by_moment.validation)
