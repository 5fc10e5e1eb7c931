"""Batches become sequences and back; gaps are those of the times that are left."""

import numpy as np
import torch

from recsys.augmentation.sequences import build_view, read_sequences
from recsys.sampling.batches import build_batch, plan_epoch
from tests.augmentation.histories import as_lists, make_sequences


def _batch(world, **options):
    windows = plan_epoch(world.histories, history_length=20, batch_tokens=256, rng=np.random.default_rng(1))[0]
    return build_batch(world.histories, windows, **options)


def test_a_batch_comes_back_without_targets_and_request(world):
    batch = _batch(world, use_time=True)
    view = build_view(read_sequences(batch), batch.user_idx)
    width = int(batch.length.max())
    assert torch.equal(view.item_idx, batch.item_idx[:, :width])
    assert torch.equal(view.gap[:, 1:], batch.gap[:, 1:width]), "the gaps inside a window are those of its times"
    assert (view.gap[:, 0] == -1).all() and (view.request_gap == -1).all() and (view.target_idx == -1).all()
    assert torch.equal(view.length, batch.length) and torch.equal(view.user_idx, batch.user_idx)


def test_without_times_all_gaps_are_unknown(world):
    batch = _batch(world, use_time=False)
    sequences = read_sequences(batch)
    assert sequences.time is None
    assert (build_view(sequences, batch.user_idx).gap == -1).all()


def test_positions_are_taken_up_to_the_new_length_and_padding_is_zero():
    sequences = make_sequences([[5, 6, 7], [8]])
    taken = sequences.take(torch.tensor([[2, 0], [0, 9]]), length=torch.tensor([2, 1]))
    assert as_lists(taken) == ([[7, 5], [8]], [[40, 0], [0]])
    assert taken.item_idx[1, 1] == 0


def test_rows_are_taken_with_their_times():
    assert as_lists(make_sequences([[5], [6, 7]]).rows(torch.tensor([1]))) == ([[6, 7]], [[0, 10]])


def test_no_histories_are_a_batch_of_none():
    view = build_view(make_sequences([]), torch.zeros(0, dtype=torch.int64))
    assert view.item_idx.shape == (0, 1)
