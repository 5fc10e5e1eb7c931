"""Every planted leak is found, and names itself."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.core.errors import LeakageError
from recsys.data.schema import TIME
from recsys.splits.leakage import check_no_leakage
from recsys.splits.parts import Split

_START = datetime(2020, 1, 1, tzinfo=UTC)
_Event = tuple[str, str, float]


def _part(*events: _Event) -> pl.DataFrame:
    frame = pl.DataFrame(events, schema=["user_id", "item_id", "day"], orient="row")
    times = pl.Series([_START + timedelta(days=day) for _, _, day in events], dtype=TIME)
    return frame.drop("day").with_columns(timestamp=times)


def _split(*, cut: float | None = None) -> Split:
    return Split(
        protocol="temporal" if cut else "leave_last_out",
        train=_part(("u", "a", 1), ("u", "b", 2), ("v", "a", 1)),
        validation=_part(("u", "c", 3), ("v", "b", 2)),
        test=_part(("u", "d", 4), ("v", "d", 5)),
        cut=None if cut is None else _START + timedelta(days=cut),
    )


@pytest.mark.parametrize("cut", [None, 3.5, 4.0])
def test_a_clean_split_passes(cut: float | None) -> None:
    check_no_leakage(_split(cut=cut), n_interactions=7)
    check_no_leakage(_split(cut=cut), n_interactions=9, n_dropped=2)


@pytest.mark.parametrize(("n_interactions", "n_dropped", "wanted"), [(8, 0, 8), (6, 0, 6), (9, 1, 8), (7, 1, 6)])
def test_lost_or_invented_events_are_found_by_their_number(n_interactions: int, n_dropped: int, wanted: int) -> None:
    with pytest.raises(LeakageError, match=f"the parts must hold {wanted} interactions, got 7"):
        check_no_leakage(_split(), n_interactions=n_interactions, n_dropped=n_dropped)


@pytest.mark.parametrize(("earlier", "later"), [("train", "validation"), ("train", "test"), ("validation", "test")])
def test_an_event_in_two_parts_is_found_and_named(earlier: str, later: str) -> None:
    split = _split()
    stolen = getattr(split, earlier).head(1)
    leaky = replace(split, **{later: pl.concat([stolen, getattr(split, later).slice(1)])})
    with pytest.raises(LeakageError, match=f"1 .* interactions are in .* too; first: user 'u', item '{stolen['item_id'][0]}'"):
        check_no_leakage(leaky, n_interactions=7)


def test_an_event_with_null_cells_in_two_parts_is_found() -> None:
    split = _split()
    parts = {
        name: getattr(split, name).with_columns(weight=pl.lit(None, pl.Float64)) for name in ("train", "validation", "test")
    }
    parts["test"] = pl.concat([parts["train"].head(1), parts["test"].slice(1)])
    with pytest.raises(LeakageError, match="1 test interactions are in train too"):
        check_no_leakage(replace(split, **parts), n_interactions=7)


def test_the_same_pair_at_another_time_is_no_leak() -> None:
    split = replace(_split(), test=_part(("u", "a", 4), ("v", "d", 5)))
    check_no_leakage(split, n_interactions=7)


@pytest.mark.parametrize(
    ("part", "rows", "message"),
    [
        ("validation", [("u", "c", 1.5), ("v", "b", 2)], "1 validation .* earlier than their user's train .*'u', item 'c'"),
        ("test", [("u", "d", 4), ("v", "d", 0.5)], "1 test .* earlier than their user's train .*'v', item 'd'"),
        ("test", [("u", "d", 2.5), ("v", "d", 1.5)], "2 test .* earlier than their user's validation"),
        ("train", [("u", "a", 1), ("u", "b", 9), ("v", "a", 1)], "1 validation .* earlier than their user's train"),
    ],
)
def test_an_event_before_what_it_must_follow_is_found(part: str, rows: list[_Event], message: str) -> None:
    with pytest.raises(LeakageError, match=message):
        check_no_leakage(replace(_split(), **{part: _part(*rows)}), n_interactions=7)


def test_other_users_may_be_later_when_each_user_has_a_cut_of_their_own() -> None:
    split = replace(_split(), train=_part(("u", "a", 1), ("u", "b", 2), ("v", "a", 1), ("w", "z", 99)))
    check_no_leakage(split, n_interactions=8)


@pytest.mark.parametrize(("cut", "name"), [(2.0, "train"), (3.0, "validation"), (2.5, "validation")])
def test_an_event_at_or_after_the_cut_is_found_with_the_cut(cut: float, name: str) -> None:
    day = f"{_START + timedelta(days=cut):%Y-%m-%d}"
    with pytest.raises(LeakageError, match=f"1 {name} interactions are later than the cut {day}; first: user 'u'"):
        check_no_leakage(_split(cut=cut), n_interactions=7)


_Plant = Callable[[pl.DataFrame, pl.DataFrame, int], tuple[pl.DataFrame, pl.DataFrame]]


def _swap(train: pl.DataFrame, test: pl.DataFrame, position: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    held = test.slice(position, 1)
    return pl.concat([train, held]), test.filter(pl.col("item_id") != held["item_id"][0])


def _copy(train: pl.DataFrame, test: pl.DataFrame, position: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    return pl.concat([train.slice(1), test.slice(position, 1)]), test


@settings(deadline=None, max_examples=40)
@given(st.integers(2, 6), st.data(), st.sampled_from([_swap, _copy]))
def test_any_test_event_put_into_train_is_found_wherever_it_is(n_users: int, data: st.DataObject, plant: _Plant) -> None:
    def part(day: int) -> pl.DataFrame:
        return _part(*((f"u{user}", f"i{user}-{day}", day) for user in range(n_users)))

    train, test = plant(part(1), part(3), data.draw(st.integers(0, n_users - 1)))
    split = Split(protocol="temporal", train=train, validation=part(2), test=test, cut=_START + timedelta(days=3))
    with pytest.raises(LeakageError):
        check_no_leakage(split, n_interactions=3 * n_users)


def test_a_split_without_validation_is_checked_all_the_same() -> None:
    split = _split()
    split = replace(split, train=pl.concat([split.train, split.validation]), validation=split.validation.clear())
    check_no_leakage(split, n_interactions=7)
    with pytest.raises(LeakageError, match="1 test interactions are in train too"):
        check_no_leakage(replace(split, train=pl.concat([split.train, split.test.head(1)])), n_interactions=8)
