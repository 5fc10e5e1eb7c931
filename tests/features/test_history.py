"""The flat arrays are the log, user by user, and test events are nowhere in them."""

from pathlib import Path

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.core.files import read_array
from recsys.data.schema import TIME
from recsys.data.vocabulary import Vocabulary, fit_vocabulary
from recsys.features.history import FlatHistories, build_histories

_Event = tuple[str, str, int]
_TRAIN = st.lists(st.tuples(st.sampled_from("uvw"), st.sampled_from("abcd"), st.integers(0, 5)), min_size=1, max_size=25)
_LATER = st.lists(st.tuples(st.sampled_from("uvwx"), st.sampled_from("abcdef"), st.integers(6, 9)), max_size=12)


def _part(events: list[_Event]) -> pl.DataFrame:
    ordered = sorted(events, key=lambda event: (event[0], event[2]))
    frame = pl.DataFrame(ordered, schema={"user_id": pl.String, "item_id": pl.String, "s": pl.Int64}, orient="row")
    return frame.select("user_id", "item_id", timestamp=(pl.col("s") * 1_000_000).cast(TIME))


def _times(rows: list[tuple[str, int | None, int | None]]) -> pl.DataFrame:
    schema = {"user_id": pl.String, "validation_time": pl.Int64, "request_time": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _build(
    train: list[_Event], later: list[_Event], times: pl.DataFrame | None = None, *, are_sets: bool = True
) -> tuple[FlatHistories, int, Vocabulary, Vocabulary]:
    part = _part(train)
    users, items = fit_vocabulary(part["user_id"]), fit_vocabulary(part["item_id"])
    asked = _times([]) if times is None else times
    return *build_histories(part, _part(later), users=users, items=items, request_times=asked, are_sets=are_sets), users, items


@settings(deadline=None, max_examples=40)
@given(_TRAIN, _LATER)
def test_the_arrays_reproduce_the_log_of_every_user(train: list[_Event], later: list[_Event]) -> None:
    histories, n_dropped, users, items = _build(train, later)
    known_users, known_items = set(users.ids), set(items.ids)
    for idx, user in enumerate(users.ids):
        own = sorted((event for event in train if event[0] == user), key=lambda event: event[2])
        held = [event for event in sorted(later, key=lambda event: event[2]) if event[0] == user and event[1] in known_items]
        begin, end = histories.offsets[idx], histories.offsets[idx + 1]
        found = [
            (user, items.ids[int(item)], int(second))
            for item, second in zip(histories.item_idx[begin:end], histories.timestamp[begin:end], strict=True)
        ]
        assert found == own + held
        assert histories.train_end[idx] == begin + len(own)
    unknown = sum(event[0] not in known_users or event[1] not in known_items for event in later)
    assert n_dropped == unknown


def test_types_and_shapes_are_as_documented() -> None:
    histories, *_ = _build([("u", "a", 1), ("v", "b", 2), ("v", "a", 3)], [("v", "b", 7)])
    kinds = {name: (getattr(histories, name).dtype, getattr(histories, name).shape) for name in FlatHistories.__slots__}
    assert kinds == {
        "item_idx": (np.int32, (4,)),
        "timestamp": (np.int64, (4,)),
        "offsets": (np.int64, (3,)),
        "train_end": (np.int64, (2,)),
        "validation_time": (np.int64, (2,)),
        "request_time": (np.int64, (2,)),
        "moment": (np.int32, (4,)),
    }


@settings(deadline=None, max_examples=40)
@given(_TRAIN, _LATER)
def test_events_of_one_user_are_one_moment_where_they_share_a_time(train: list[_Event], later: list[_Event]) -> None:
    histories, *_ = _build(train, [(user, item, 1_000 + second) for user, item, second in later])
    for begin, end in zip(histories.offsets[:-1], histories.offsets[1:], strict=True):
        own, times = histories.moment[begin:end].tolist(), histories.timestamp[begin:end].tolist()
        numbers = sorted(set(times))
        assert [each - own[0] for each in own] == [numbers.index(time) for time in times]


def test_where_order_is_known_no_moment_is_written(tmp_path: Path) -> None:
    histories, *_ = _build([("u", "a", 1), ("u", "b", 1)], [], are_sets=False)
    assert histories.moment is None
    histories.write(tmp_path)
    assert not (tmp_path / "moment.npy").exists()


def test_ties_keep_the_order_of_the_rows_also_between_train_and_validation() -> None:
    histories, _, _, items = _build([("u", "c", 5), ("u", "a", 5), ("u", "b", 5)], [("u", "b", 5), ("u", "a", 5)])
    assert [items.ids[int(item)] for item in histories.item_idx] == ["c", "a", "b", "b", "a"]


def test_a_time_within_a_second_is_its_whole_second() -> None:
    part = _part([("u", "a", 1), ("u", "b", 2)]).with_columns(pl.col("timestamp") + pl.duration(milliseconds=900))
    vocabularies = {"users": fit_vocabulary(part["user_id"]), "items": fit_vocabulary(part["item_id"])}
    histories, _ = build_histories(part, part.clear(), **vocabularies, request_times=_times([]))
    assert histories.timestamp.tolist() == [1, 2]


def test_moments_asked_about_go_to_their_user_and_are_minus_1_where_unknown() -> None:
    train: list[_Event] = [("u", "a", 1), ("v", "b", 1), ("w", "a", 1)]
    histories, *_ = _build(train, [], _times([("w", 7, 9), ("u", None, 8), ("stranger", 1, 1)]))
    assert histories.validation_time.tolist() == [-1, -1, 7]
    assert histories.request_time.tolist() == [8, -1, 9]


def test_written_arrays_are_read_back(tmp_path: Path) -> None:
    histories, *_ = _build([("u", "a", 1), ("v", "b", 2)], [("u", "b", 3)], are_sets=True)
    histories.write(tmp_path)
    assert sorted(path.stem for path in tmp_path.iterdir()) == sorted(FlatHistories.__slots__)
    for name in FlatHistories.__slots__:
        np.testing.assert_array_equal(read_array(tmp_path / f"{name}.npy"), getattr(histories, name))
