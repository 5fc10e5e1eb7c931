"""Windows of histories, grouped by length into batches of about equal work. Numpy and torch alone."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from recsys.core.files import read_array
from recsys.sampling.moments import positions_after, positions_before, shuffle_within

HeldOut = Literal["validation", "test"]
Ints = NDArray[np.int64]

_MULTIPLE = 8
_POOL_BATCHES = 64
UNKNOWN_TIME = -1
_NO_MOMENT = 2**40


@dataclass(frozen=True, slots=True, kw_only=True)
class Histories:
    """The flat arrays of the stage `pairs`, memory-mapped (see `recsys.features.history.FlatHistories`).

    Attributes:
        is_learned: Shape (U,), whose train events are targets; None for all users. Histories are known of all.
        moment: Shape (E,), which events of a user are one moment, and so a set; None where each is a moment of its own.
    """

    item_idx: NDArray[np.integer]
    timestamp: NDArray[np.integer]
    offsets: NDArray[np.integer]
    train_end: NDArray[np.integer]
    validation_time: NDArray[np.integer]
    request_time: NDArray[np.integer]
    is_learned: NDArray[np.bool_] | None = None
    moment: NDArray[np.integer] | None = None

    @property
    def n_users(self) -> int:
        """U."""
        return len(self.train_end)


def read_histories(folder: Path) -> Histories:
    """Memory-map the arrays below `folder`."""
    names = [field.name for field in fields(Histories) if field.name not in ("is_learned", "moment")]
    if (folder / "moment.npy").is_file():
        names.append("moment")
    return Histories(**{name: read_array(folder / f"{name}.npy") for name in names})


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Histories of equal padded length, right-padded.

    Attributes:
        user_idx: Shape (B,) int64.
        item_idx: Shape (B, L) int64; padding is 0 and `length` says where it starts.
        gap: Shape (B, L) int64, seconds since the previous event; -1 if there is none.
        request_gap: Shape (B, L) int64, seconds from the event to the moment asked about; -1 if unknown.
        target_idx: Shape (B, L) int64, the next item or a later one; -1 where there is none.
        length: Shape (B,) int64.
        prefix: Shape (B, L) int64, the position in its row whose prefix each target is predicted from; None where it is
            each position's own.
    """

    user_idx: torch.Tensor
    item_idx: torch.Tensor
    gap: torch.Tensor
    request_gap: torch.Tensor
    target_idx: torch.Tensor
    length: torch.Tensor
    prefix: torch.Tensor | None = None

    def rows(self, part: slice) -> "Batch":
        """Some rows, such as one process's share."""
        return Batch(**{name: tensor[part] for name, tensor in self._tensors().items()})

    def to(self, device: torch.device) -> "Batch":
        """The same batch on another device; to CUDA it goes through pinned memory, so that the copy runs beside the work."""
        tensors = self._tensors()
        if device.type == "cuda":
            return Batch(**{name: tensor.pin_memory().to(device, non_blocking=True) for name, tensor in tensors.items()})
        return Batch(**{name: tensor.to(device) for name, tensor in tensors.items()})

    def _tensors(self) -> dict[str, torch.Tensor]:
        named = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: tensor for name, tensor in named.items() if tensor is not None}


def cut_windows(histories: Histories, *, history_length: int, rng: np.random.Generator) -> Ints:
    """Cut every train history into windows of at most L inputs whose targets cover each event but the first once.

    The first cut is drawn at random, so over epochs an event is seen with different amounts of past. Where events of one
    moment are a set, those behind a cut through their moment are no targets of this epoch.

    Args:
        histories: All users.
        history_length: L.
        rng: Where the randomness comes from.

    Returns:
        Shape (W, 3): user_idx, first and last + 1 position; a window of n + 1 events has n inputs and n targets.
    """
    starts, ends = np.asarray(histories.offsets[:-1]), np.asarray(histories.train_end)
    n_targets = np.maximum(ends - starts - 1, 0) * (1 if histories.is_learned is None else histories.is_learned)
    if histories.moment is not None:
        some = n_targets > 0
        n_targets[some] *= histories.moment[ends[some] - 1] > histories.moment[starts[some]]  # one moment foretells none
    first = np.minimum(rng.integers(1, history_length + 1, len(n_targets)), n_targets)
    n_windows = np.where(n_targets > 0, 1 + -(-(n_targets - first) // history_length), 0)
    user = np.repeat(np.arange(len(n_targets)), n_windows)
    number = np.arange(len(user)) - np.repeat(np.cumsum(n_windows) - n_windows, n_windows)
    begin = np.where(number == 0, 0, first[user] + (number - 1) * history_length)
    size = np.where(number == 0, first[user], np.minimum(history_length, n_targets[user] - begin))
    return np.stack([user, starts[user] + begin, starts[user] + begin + size + 1], axis=1).astype(np.int64)


def plan_epoch(histories: Histories, *, history_length: int, batch_tokens: int, rng: np.random.Generator) -> list[Ints]:
    """Cut one epoch into batches of windows, each of at most about `batch_tokens` padded events.

    Windows are shuffled, sorted by length inside pools of many batches, and the batches shuffled again, so that little is
    padding and the order stays random.

    Args:
        histories: All users; only their train events are read.
        history_length: L, the most inputs of a window.
        batch_tokens: Padded events of a batch.
        rng: Where the randomness comes from.

    Returns:
        For each batch the windows, shape (B, 3), as `cut_windows` gives them.
    """
    windows = rng.permutation(cut_windows(histories, history_length=history_length, rng=rng))
    sizes = windows[:, 2] - windows[:, 1] - 1
    pool = max(1, _POOL_BATCHES * batch_tokens // history_length)
    groups: list[Ints] = []
    for begin in range(0, len(windows), pool):
        order = begin + np.argsort(sizes[begin : begin + pool], kind="stable")
        groups += _group(order, sizes, batch_tokens)
    return [windows[groups[group]] for group in rng.permutation(len(groups))]


def _group(order: Ints, sizes: Ints, batch_tokens: int) -> list[Ints]:
    """Cut windows sorted by size into groups of at most `batch_tokens` padded events, from the longest."""
    groups, end = [], len(order)
    while end > 0:
        width = _round_up(int(sizes[order[end - 1]]))
        begin = max(0, end - max(1, batch_tokens // width))
        groups.append(order[begin:end])
        end = begin
    return groups


def build_batch(
    histories: Histories, windows: Ints, *, use_time: bool, far_share: float = 0.0, rng: np.random.Generator | None = None
) -> Batch:
    """The windows of one batch, padded, with a target for each event; the moment asked about is that of the next event.

    Where events of one moment are a set, they come in another order each time, and a target is predicted from what was before
    its moment; the events of the moment that a window begins with are no targets.

    Args:
        histories: All users.
        windows: Shape (B, 3), from `plan_epoch`.
        use_time: Whether gaps are given; else they are all unknown.
        far_share: Chance that a target is any of the user's train events that follow, each as likely, and not the next one.
        rng: Draws them, and the order of sets.

    Source: far targets: Pancha et al., "PinnerFormer", arXiv:2205.04507, section 3.4, "dense all action loss".
    """
    if histories.moment is not None:
        return _build_of_sets(histories, windows, histories.moment, use_time=use_time, far_share=far_share, rng=rng)
    starts, lengths = windows[:, 1], windows[:, 2] - windows[:, 1] - 1
    positions, inside = _positions(starts, lengths)
    following = np.minimum(positions + 1, len(histories.item_idx) - 1)
    gap = request_gap = np.full(positions.shape, UNKNOWN_TIME, np.int64)
    if use_time:
        first = np.asarray(histories.offsets[windows[:, 0]])
        gap = np.where(inside, _gaps(histories, positions, first=first), UNKNOWN_TIME)
        request_gap = np.where(inside, histories.timestamp[following] - histories.timestamp[positions], UNKNOWN_TIME)
    items = np.where(inside, histories.item_idx[positions], 0)
    if far_share:
        if rng is None:
            raise ValueError("far targets must have an rng that draws them, got none")
        n_ahead = np.asarray(histories.train_end[windows[:, 0]])[:, None] - 1 - positions  # (B, L)
        is_far = inside & (rng.random(positions.shape) < far_share)
        following = np.where(is_far, positions + rng.integers(1, np.maximum(n_ahead, 1) + 1), following)
    targets = np.where(inside, histories.item_idx[following], -1)
    return _batch(windows[:, 0], items, gap, request_gap, targets, lengths)


def _build_of_sets(
    histories: Histories,
    windows: Ints,
    moment: NDArray[np.integer],
    *,
    use_time: bool,
    far_share: float,
    rng: np.random.Generator | None,
) -> Batch:
    if rng is None:
        raise ValueError("sets must have an rng that draws their order, got none")
    starts, sizes = windows[:, 1], windows[:, 2] - windows[:, 1]  # inputs and the last target
    positions, inside = _positions(starts, sizes, width=_round_up(int(sizes.max(initial=2)) - 1) + 1)  # (B, L + 1)
    moments = np.where(inside, moment[positions].astype(np.int64), _NO_MOMENT)
    positions = np.take_along_axis(positions, shuffle_within(moments, rng=rng), axis=1)
    before = positions_before(moments)[:, 1:]  # (B, L)
    is_input = inside[:, 1:]
    is_target = is_input & (before >= 0)
    gap = request_gap = np.full(is_target.shape, UNKNOWN_TIME, np.int64)
    if use_time:
        times, first = histories.timestamp[positions].astype(np.int64), np.asarray(histories.offsets[windows[:, 0]])
        earlier = np.concatenate([histories.timestamp[np.maximum(starts - 1, 0)][:, None], times[:, :-1]], axis=1)
        is_known = is_input & ((np.arange(is_input.shape[1]) > 0) | (starts > first)[:, None])
        gap = np.where(is_known, (times - earlier)[:, :-1], UNKNOWN_TIME)
        after = positions_after(moments)
        later = np.take_along_axis(times, np.minimum(after, times.shape[1] - 1), axis=1)
        request_gap = np.where(is_input & (after < sizes[:, None])[:, :-1], (later - times)[:, :-1], UNKNOWN_TIME)
    following = positions[:, 1:]
    if far_share:
        begin = starts[:, None] + before + 1  # of the target's moment
        n_ahead = np.asarray(histories.train_end[windows[:, 0]])[:, None] - begin
        is_far = is_target & (rng.random(begin.shape) < far_share)
        following = np.where(is_far, begin + rng.integers(0, np.maximum(n_ahead, 1)), following)
    items = np.where(is_input, histories.item_idx[positions[:, :-1]], 0)
    targets = np.where(is_target, histories.item_idx[following], -1)
    batch = _batch(windows[:, 0], items, gap, request_gap, targets, sizes - 1)
    return replace(batch, prefix=torch.from_numpy(np.maximum(before, 0)))


def request_batches(
    histories: Histories,
    user_idx: NDArray[np.integer],
    *,
    history_length: int,
    batch_tokens: int,
    use_time: bool,
    held_out: HeldOut,
) -> Iterator[tuple[Ints, Batch]]:
    """The histories that user vectors are made from, longest first.

    Args:
        histories: All users.
        user_idx: Shape (B,), who is asked for.
        history_length: L: the last L events count.
        batch_tokens: Padded events of a batch.
        use_time: Whether gaps are given.
        held_out: `validation`: train events, asked at `validation_time`. `test`: train and validation events, asked at
            `request_time`.

    Yields:
        Positions in `user_idx`, and their batch without targets.
    """
    users = np.asarray(user_idx, np.int64)
    is_test = held_out == "test"
    ends = np.asarray(histories.offsets[users + 1] if is_test else histories.train_end[users])
    asked = np.asarray(histories.request_time[users] if is_test else histories.validation_time[users])
    starts = np.maximum(np.asarray(histories.offsets[users]), ends - history_length)
    lengths = ends - starts
    for group in _group(np.argsort(lengths, kind="stable"), lengths, batch_tokens):
        positions, inside = _positions(starts[group], lengths[group])
        gap = request_gap = np.full(positions.shape, UNKNOWN_TIME, np.int64)
        if use_time:
            first = np.asarray(histories.offsets[users[group]])
            gap = np.where(inside, _gaps(histories, positions, first=first), UNKNOWN_TIME)
            request_gap = _request_gaps(histories, positions, inside, ends[group], asked[group])
        items = np.where(inside, histories.item_idx[positions], 0)
        targets = np.full(positions.shape, -1, np.int64)
        yield group, _batch(users[group], items, gap, request_gap, targets, lengths[group])


def _request_gaps(histories: Histories, positions: Ints, inside: NDArray[np.bool_], ends: Ints, asked: Ints) -> Ints:
    """As in training: an event's request is the next moment, and the last moment's is the moment asked about."""
    times = histories.timestamp[positions].astype(np.int64)
    if histories.moment is None:
        following, is_last = positions + 1, positions == ends[:, None] - 1
    else:
        moments = np.where(inside, histories.moment[positions].astype(np.int64), _NO_MOMENT)
        following, is_last = positions[:, :1] + positions_after(moments), moments == histories.moment[ends - 1][:, None]
    following = np.minimum(following, len(histories.item_idx) - 1)
    request = np.where(is_last, asked[:, None], histories.timestamp[following])
    return np.where(inside & (request >= 0), np.maximum(request - times, 0), UNKNOWN_TIME)


def _positions(starts: Ints, lengths: Ints, *, width: int | None = None) -> tuple[Ints, NDArray[np.bool_]]:
    """Positions of padded rows, shape (B, L), and which of them are inside; padding repeats the row's first position."""
    steps = np.arange(width or _round_up(int(lengths.max(initial=1))))
    inside = steps[None, :] < lengths[:, None]
    return np.where(inside, starts[:, None] + steps[None, :], starts[:, None]), inside


def _gaps(histories: Histories, positions: Ints, *, first: NDArray[np.integer]) -> Ints:
    """Seconds since the user's previous event, unknown for the user's first."""
    previous = np.maximum(positions - 1, 0)
    gaps = histories.timestamp[positions].astype(np.int64) - histories.timestamp[previous]
    return np.where(positions > first[:, None], gaps, UNKNOWN_TIME)


def _batch(user: NDArray, items: NDArray, gap: NDArray, request_gap: NDArray, target: NDArray, length: NDArray) -> Batch:  # type: ignore[type-arg]
    arrays = (user, items, gap, request_gap, target, length)
    tensors = [torch.from_numpy(np.ascontiguousarray(array, np.int64)) for array in arrays]
    names = ("user_idx", "item_idx", "gap", "request_gap", "target_idx", "length")
    return Batch(**dict(zip(names, tensors, strict=True)))


def _round_up(length: int) -> int:
    return -(-max(length, 1) // _MULTIPLE) * _MULTIPLE
