"""Where events of one moment are a set, none is predicted from another, and each target is asked at its own moment."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.sampling.batches import Batch, Histories, build_batch, plan_epoch, request_batches
from tests.sampling.conftest import histories_of

_BASKETS = st.lists(st.lists(st.integers(1, 4), min_size=1, max_size=6), min_size=1, max_size=5)


def _histories(users: list[list[int]]) -> Histories:
    """Users with baskets of so many events, a day apart; every event has an item of its own, and all are train."""
    sizes = [sum(baskets) for baskets in users]
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    moment = np.concatenate([np.repeat(np.arange(len(baskets)), baskets) for baskets in users])
    return Histories(
        item_idx=(np.arange(offsets[-1]) + 5).astype(np.int32),
        timestamp=(1_000_000 + 86_400 * moment + 7 * (moment % 3)).astype(np.int64),
        offsets=offsets,
        train_end=offsets[1:],
        validation_time=np.full(len(users), -1),
        request_time=np.array([2_000_000 + user for user in range(len(users))]),
        moment=moment.astype(np.int32),
    )


def _batches(histories: Histories, *, length: int, seed: int = 0, far_share: float = 0.0) -> list[Batch]:
    rng = np.random.default_rng(seed)
    plan = plan_epoch(histories, history_length=length, batch_tokens=64, rng=rng)
    return [build_batch(histories, windows, use_time=True, far_share=far_share, rng=rng) for windows in plan]


def _targets(batch: Batch) -> list[tuple[int, int, int, list[int]]]:
    """For each target its row, its column, its position in the log and the positions that its prefix holds."""
    return [
        (
            row,
            column,
            int(batch.target_idx[row, column]) - 5,
            (batch.item_idx[row, : batch.prefix[row, column] + 1] - 5).tolist(),
        )
        for row, column in (batch.target_idx >= 0).nonzero().tolist()
    ]


@settings(deadline=None, max_examples=60)
@given(_BASKETS, st.integers(1, 9), st.sampled_from([0.0, 0.5]), st.integers(0, 9))
def test_a_target_is_predicted_from_all_that_its_window_has_of_earlier_moments_and_from_nothing_else(
    users: list[list[int]], length: int, far_share: float, seed: int
) -> None:
    histories = _histories(users)
    for batch in _batches(histories, length=length, seed=seed, far_share=far_share):
        for row, _, target, past in _targets(batch):
            user = int(batch.user_idx[row])
            assert histories.offsets[user] <= min(past) and max(past) < target < histories.train_end[user]
            assert histories.moment[past].max() < histories.moment[target]
            if not far_share:
                in_window = (batch.item_idx[row, : batch.length[row]] - 5).tolist()
                earlier = [event for event in in_window if histories.moment[event] < histories.moment[target]]
                assert sorted(past) == sorted(earlier)


@settings(deadline=None, max_examples=60)
@given(_BASKETS, st.integers(0, 9))
def test_where_a_window_holds_a_history_every_event_behind_the_first_moment_is_a_target_once(
    users: list[list[int]], seed: int
) -> None:
    histories = _histories(users)
    # The first cut of a history is drawn; windows are whole where none is.
    windows = np.array(
        [[user, histories.offsets[user], histories.offsets[user + 1]] for user in range(len(users)) if sum(users[user]) > 1]
    )
    if not len(windows):
        return
    batch = build_batch(histories, windows, use_time=True, rng=np.random.default_rng(seed))
    found = sorted(target for _, _, target, _ in _targets(batch))
    assert found == np.flatnonzero(histories.moment > 0).tolist()


@settings(deadline=None, max_examples=60)
@given(_BASKETS, st.integers(2, 9), st.integers(0, 9))
def test_a_prefix_is_asked_at_the_moment_of_its_target(users: list[list[int]], length: int, seed: int) -> None:
    histories = _histories(users)
    for batch in _batches(histories, length=length, seed=seed):
        for row, column, target, past in _targets(batch):
            gap = int(batch.request_gap[row, batch.prefix[row, column]])
            assert gap == histories.timestamp[target] - histories.timestamp[past[-1]] > 0


def test_the_order_of_a_moment_changes_from_time_to_time_and_that_of_moments_never() -> None:
    histories = _histories([[3, 3, 3]])
    rows = {tuple((_batches(histories, length=9, seed=seed)[0].item_idx[0, :8] - 5).tolist()) for seed in range(60)}
    rows = {row for row in rows if len(set(row)) == 8}
    assert len(rows) > 10
    assert all(histories.moment[list(row)].tolist() == sorted(histories.moment[list(row)]) for row in rows)


def test_gaps_are_those_to_the_event_before_and_none_inside_a_moment() -> None:
    histories = _histories([[2, 2]])
    batch = build_batch(histories, np.array([[0, 0, 4]]), use_time=True, rng=np.random.default_rng(0))
    assert batch.gap[0, :3].tolist() == [-1, 0, 86_407]
    later = build_batch(histories, np.array([[0, 2, 4]]), use_time=True, rng=np.random.default_rng(0))
    assert later.gap[0, :1].tolist() == [86_407]
    assert (later.target_idx == -1).all()  # what comes before its moment is not in the window


def test_moments_of_one_event_make_the_batches_that_events_make() -> None:
    plain = histories_of([(9, 2), (4, 0), (1, 1)])
    sets = replace(plain, moment=np.concatenate([np.arange(11), np.arange(4), np.arange(2)]).astype(np.int32))
    for first, second in zip(_batches(plain, length=4), _batches(sets, length=4), strict=False):
        for name in ("user_idx", "item_idx", "gap", "target_idx", "length"):
            assert torch.equal(getattr(first, name), getattr(second, name)), name
        is_target = second.target_idx >= 0
        assert torch.equal(first.request_gap[is_target], second.request_gap[is_target])
        assert torch.equal(second.prefix[is_target], torch.arange(is_target.shape[1]).expand_as(is_target)[is_target])
        break  # the next batch draws other windows, as the order of sets was drawn in between


def test_a_user_with_one_moment_has_nothing_to_foretell() -> None:
    histories = _histories([[4], [1, 1]])
    assert [batch.user_idx.tolist() for batch in _batches(histories, length=8)] == [[1]]


@pytest.mark.parametrize("length", [3, 8])
def test_a_request_reads_the_last_moment_as_a_whole_and_asks_each_event_for_the_next(length: int) -> None:
    histories = _histories([[2, 1, 3], [2]])
    ((rows, batch),) = request_batches(
        histories, np.arange(2), history_length=length, batch_tokens=99, use_time=True, held_out="test"
    )
    gaps = {int(user): batch.request_gap[row, : batch.length[row]].tolist() for row, user in enumerate(rows)}
    last = 2_000_000 - histories.timestamp[5]
    step = [histories.timestamp[2] - histories.timestamp[0]] * 2 + [histories.timestamp[3] - histories.timestamp[2]]
    assert gaps[0] == [*step, last, last, last][-length:]
    assert gaps[1] == [2_000_001 - histories.timestamp[6]] * 2


def test_sets_need_a_generator() -> None:
    with pytest.raises(ValueError, match="an rng that draws their order"):
        build_batch(_histories([[1, 1]]), np.array([[0, 0, 2]]), use_time=False)
