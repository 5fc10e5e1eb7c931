"""Batches hold each train event once, with the past it had, and nothing of validation."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.sampling.batches import Batch, Histories, build_batch, cut_windows, plan_epoch, read_histories, request_batches
from tests.sampling.conftest import FIELDS, histories_of

_SIZES = st.lists(st.tuples(st.integers(1, 30), st.integers(0, 3)), min_size=1, max_size=8)
_LENGTH = st.integers(1, 12)


def _plan(histories: Histories, *, length: int, tokens: int, seed: int = 0) -> list[np.ndarray]:
    return plan_epoch(histories, history_length=length, batch_tokens=tokens, rng=np.random.default_rng(seed))


def _events(histories: Histories, batch: Batch) -> list[tuple[int, ...]]:
    """What a batch says of each event that is not padding."""
    return [
        tuple(int(getattr(batch, name)[row, column]) for name in ("item_idx", "gap", "request_gap", "target_idx"))
        for row in range(len(batch.length))
        for column in range(int(batch.length[row]))
    ]


def _check_padding(batch: Batch) -> None:
    for row, length in enumerate(batch.length.tolist()):
        assert not batch.item_idx[row, length:].any()
        for name in ("gap", "request_gap", "target_idx"):
            assert (getattr(batch, name)[row, length:] == -1).all()


@settings(deadline=None, max_examples=40)
@given(_SIZES, _LENGTH, st.integers(0, 99))
def test_windows_cover_every_train_event_but_the_first_as_target_exactly_once(
    sizes: list[tuple[int, int]], length: int, seed: int
) -> None:
    histories = histories_of(sizes)
    windows = cut_windows(histories, history_length=length, rng=np.random.default_rng(seed))
    targets = sorted(position for _, begin, end in windows.tolist() for position in range(begin + 1, end))
    expected = [p for b, e in zip(histories.offsets, histories.train_end, strict=False) for p in range(b + 1, e)]
    assert targets == expected
    for user, begin, end in windows.tolist():
        assert 1 <= end - begin - 1 <= length
        assert histories.offsets[user] <= begin < end <= histories.train_end[user]


def test_the_first_cut_moves_from_epoch_to_epoch() -> None:
    histories = histories_of([(50, 0)])
    firsts = {int(cut_windows(histories, history_length=10, rng=np.random.default_rng(seed))[0, 2]) - 1 for seed in range(200)}
    assert firsts == set(range(1, 11))


@pytest.mark.parametrize("sizes", [[(1, 3)], [(0, 2)], [(1, 0), (0, 1)]])
def test_users_with_less_than_two_train_events_give_no_windows_and_no_batches(sizes: list[tuple[int, int]]) -> None:
    histories = histories_of(sizes)
    assert cut_windows(histories, history_length=4, rng=np.random.default_rng(0)).shape == (0, 3)
    assert _plan(histories, length=4, tokens=64) == []


@settings(deadline=None, max_examples=40)
@given(_SIZES, _LENGTH, st.integers(8, 200), st.integers(0, 99))
def test_an_epoch_holds_every_window_once_in_batches_of_the_asked_size(
    sizes: list[tuple[int, int]], length: int, tokens: int, seed: int
) -> None:
    histories = histories_of(sizes)
    batches = _plan(histories, length=length, tokens=tokens, seed=seed)
    targets = sorted(p for windows in batches for _, begin, end in windows.tolist() for p in range(begin + 1, end))
    assert targets == [p for b, e in zip(histories.offsets, histories.train_end, strict=False) for p in range(b + 1, e)]
    for windows in batches:
        rows, width = build_batch(histories, windows, use_time=True).item_idx.shape
        assert rows == 1 or rows * width <= tokens


def test_sorting_by_length_leaves_little_padding_and_the_order_random() -> None:
    histories = histories_of([(size, 0) for size in range(2, 202)])
    batches = [build_batch(histories, windows, use_time=False) for windows in _plan(histories, length=64, tokens=1_024)]
    n_events = sum(int(batch.length.sum()) for batch in batches)
    assert n_events > 0.8 * sum(batch.item_idx.numel() for batch in batches)
    widths = [batch.item_idx.shape[1] for batch in batches]
    assert widths not in (sorted(widths), sorted(widths, reverse=True))


def test_the_same_generator_state_plans_the_same_epoch_and_the_next_another() -> None:
    histories = histories_of([(20, 0)] * 10)
    rng = np.random.default_rng(5)
    first, following = (plan_epoch(histories, history_length=7, batch_tokens=64, rng=rng) for _ in range(2))
    again = _plan(histories, length=7, tokens=64, seed=5)
    assert [windows.tolist() for windows in first] == [windows.tolist() for windows in again]
    assert [windows.tolist() for windows in first] != [windows.tolist() for windows in following]


@settings(deadline=None, max_examples=40)
@given(_SIZES, _LENGTH, st.integers(0, 99))
def test_a_batch_is_what_a_plain_loop_over_its_windows_gives(sizes: list[tuple[int, int]], length: int, seed: int) -> None:
    histories = histories_of(sizes, seed=seed)
    item, time = histories.item_idx, histories.timestamp
    for windows in _plan(histories, length=length, tokens=96, seed=seed):
        batch = build_batch(histories, windows, use_time=True)
        expected = [
            (item[p], time[p] - time[p - 1] if p > histories.offsets[user] else -1, time[p + 1] - time[p], item[p + 1])
            for user, begin, end in windows.tolist()
            for p in range(begin, end - 1)
        ]
        assert _events(histories, batch) == expected
        assert batch.user_idx.tolist() == windows[:, 0].tolist()
        assert batch.length.tolist() == (windows[:, 2] - windows[:, 1] - 1).tolist()
        assert all(getattr(batch, name).dtype == torch.int64 for name in FIELDS)
        _check_padding(batch)


@settings(deadline=None, max_examples=40)
@given(_SIZES, _LENGTH, st.integers(0, 99), st.sampled_from([0.0, 0.5, 1.0]))
def test_training_never_reads_an_event_after_the_train_part(
    sizes: list[tuple[int, int]], length: int, seed: int, far_share: float
) -> None:
    plain = histories_of(sizes)
    is_held = np.concatenate([np.arange(t + v) >= t for t, v in sizes])
    spoiled = replace(
        plain,
        item_idx=np.where(is_held, 999_999, plain.item_idx),
        timestamp=np.where(is_held, -(10**12), plain.timestamp),
        validation_time=plain.validation_time * 0 - 7,
        request_time=plain.request_time * 0 - 7,
    )
    pairs = zip(
        _plan(plain, length=length, tokens=80, seed=seed), _plan(spoiled, length=length, tokens=80, seed=seed), strict=True
    )
    for ours, theirs in pairs:
        one = build_batch(plain, ours, use_time=True, far_share=far_share, rng=np.random.default_rng(seed))
        other = build_batch(spoiled, theirs, use_time=True, far_share=far_share, rng=np.random.default_rng(seed))
        assert all(torch.equal(getattr(one, name), getattr(other, name)) for name in FIELDS)


@settings(deadline=None, max_examples=40)
@given(_SIZES, _LENGTH, st.data())
def test_request_batches_are_what_a_plain_loop_over_users_gives(
    sizes: list[tuple[int, int]], length: int, data: st.DataObject
) -> None:
    histories = histories_of(sizes)
    users = np.array(data.draw(st.lists(st.integers(0, len(sizes) - 1), min_size=1, max_size=6)))
    held_out = data.draw(st.sampled_from(["validation", "test"]))
    options = {"history_length": length, "batch_tokens": 64, "use_time": True, "held_out": held_out}
    item, time, columns = histories.item_idx, histories.timestamp, []
    for group, batch in request_batches(histories, users, **options):
        expected = []
        for user in users[group]:
            first = histories.offsets[user]
            end = histories.offsets[user + 1] if held_out == "test" else histories.train_end[user]
            asked = (histories.request_time if held_out == "test" else histories.validation_time)[user]
            for p in range(max(first, end - length), end):
                request = time[p + 1] - time[p] if p < end - 1 else asked - time[p] if asked >= 0 else -1
                expected.append((item[p], time[p] - time[p - 1] if p > first else -1, max(request, -1), -1))
        assert _events(histories, batch) == expected
        assert batch.user_idx.tolist() == users[group].tolist()
        assert batch.item_idx.numel() <= max(64, 16)
        _check_padding(batch)
        columns += group.tolist()
    assert sorted(columns) == list(range(len(users)))


def test_the_longest_histories_come_first() -> None:
    histories = histories_of([(size, 0) for size in (3, 30, 9, 17)])
    options = {"history_length": 100, "batch_tokens": 1, "use_time": False, "held_out": "test"}
    batches = list(request_batches(histories, np.arange(4), **options))
    assert [group.tolist() for group, _ in batches] == [[1], [3], [2], [0]]


def test_a_moment_before_the_last_event_is_asked_about_as_now() -> None:
    histories = replace(histories_of([(3, 0)]), request_time=np.array([1]))
    options = {"history_length": 8, "batch_tokens": 64, "use_time": True, "held_out": "test"}
    ((_, batch),) = request_batches(histories, np.array([0]), **options)
    assert int(batch.request_gap[0, 2]) == 0


def test_without_time_no_gap_is_known() -> None:
    histories = histories_of([(9, 1), (4, 0)])
    batches = [build_batch(histories, windows, use_time=False) for windows in _plan(histories, length=4, tokens=64)]
    options = {"history_length": 4, "batch_tokens": 64, "use_time": False, "held_out": "test"}
    batches += [batch for _, batch in request_batches(histories, np.arange(2), **options)]
    for batch in batches:
        assert (batch.gap == -1).all()
        assert (batch.request_gap == -1).all()


def test_rows_of_a_batch_are_those_rows_of_every_tensor() -> None:
    histories = histories_of([(9, 0), (4, 0), (7, 0)])
    (windows,) = _plan(histories, length=16, tokens=512)
    batch = build_batch(histories, windows, use_time=True)
    part = batch.rows(slice(1, None, 2)).to(torch.device("cpu"))
    assert all(torch.equal(getattr(part, name), getattr(batch, name)[1::2]) for name in FIELDS)


def test_histories_are_read_back_mapped(tmp_path: Path) -> None:
    histories = histories_of([(3, 1), (2, 0)])
    names = [name for name in Histories.__slots__ if name not in ("is_learned", "moment")]
    for name in names:
        np.save(tmp_path / f"{name}.npy", getattr(histories, name))
    read = read_histories(tmp_path)
    assert read.n_users == 2
    assert read.is_learned is read.moment is None
    for name in names:
        assert isinstance(getattr(read, name), np.memmap)
        np.testing.assert_array_equal(getattr(read, name), getattr(histories, name))


def test_only_users_who_are_learned_from_have_windows() -> None:
    histories = histories_of([(9, 1), (8, 0), (7, 2)])
    learned = replace(histories, is_learned=np.array([True, False, True]))
    cut = [cut_windows(part, history_length=4, rng=np.random.default_rng(3)) for part in (histories, learned)]
    assert set(cut[1][:, 0]) == {0, 2}
    np.testing.assert_array_equal(cut[1], cut[0][cut[0][:, 0] != 1])
