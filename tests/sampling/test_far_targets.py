"""Targets that are not the next item: which they are, and how often."""

import numpy as np
import pytest
import torch

from recsys.sampling.batches import build_batch, cut_windows
from tests.sampling.conftest import FIELDS, histories_of


def test_a_far_target_is_any_train_event_that_follows_and_each_as_often() -> None:
    histories, n_draws = histories_of([(12, 3), (4, 0), (2, 1)]), 600
    windows, rng = cut_windows(histories, history_length=20, rng=np.random.default_rng(0)), np.random.default_rng(1)
    plain = build_batch(histories, windows, use_time=True)
    draws = [build_batch(histories, windows, use_time=True, far_share=0.5, rng=rng) for _ in range(n_draws)]
    assert all(torch.equal(getattr(draws[0], name), getattr(plain, name)) for name in set(FIELDS) - {"target_idx"})
    steps = torch.stack([batch.target_idx for batch in draws], dim=-1) - plain.item_idx[..., None]  # items number the events
    n_ahead = torch.from_numpy(histories.train_end[windows[:, 0]] + 5)[:, None] - 1 - plain.item_idx
    for row, column in (plain.target_idx >= 0).nonzero().tolist():
        ahead, counts = int(n_ahead[row, column]), np.bincount(steps[row, column], minlength=1)
        wanted = n_draws * (0.5 / ahead + 0.5 * (np.arange(1, ahead + 1) == 1))
        assert len(counts) == ahead + 1 and (abs(counts[1:] - wanted) <= 5 * np.sqrt(wanted)).all() and counts[0] == 0
    assert all(((batch.target_idx < 0) == (plain.target_idx < 0)).all() for batch in draws)


def test_far_targets_are_not_left_out_for_want_of_an_rng() -> None:
    histories = histories_of([(12, 3)])
    windows = cut_windows(histories, history_length=20, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="must have an rng"):
        build_batch(histories, windows, use_time=True, far_share=0.5)
