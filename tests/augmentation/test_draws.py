"""Positions are drawn exactly as many as asked, and every choice is as likely."""

from collections import Counter
from itertools import combinations, permutations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.augmentation.draws import draw_below, draw_order, draw_positions, share_of


def _generator(seed=0):
    return torch.Generator().manual_seed(seed)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=9), st.integers(0, 99))
def test_as_many_allowed_positions_as_asked_are_drawn(rows, seed):
    is_allowed = torch.tensor([[position < size for position in range(10)] for size, _ in rows]).flip(1)
    count = torch.tensor([min(asked, size) for size, asked in rows])
    chosen = draw_positions(is_allowed, count, _generator(seed))
    assert chosen.sum(1).tolist() == count.tolist()
    assert not (chosen & ~is_allowed).any()


def test_every_set_of_positions_is_as_likely_as_another():
    chosen = draw_positions(torch.ones(12_000, 4, dtype=torch.bool), torch.full((12_000,), 2), _generator())
    seen = Counter(tuple(row.nonzero()[:, 0].tolist()) for row in chosen)
    assert set(seen) == set(combinations(range(4), 2))
    assert all(abs(times - 2_000) < 5 * 2_000**0.5 for times in seen.values())


def test_every_order_of_a_stretch_is_as_likely_as_another_and_the_rest_stays():
    begin, size = torch.full((12_000,), 1), torch.full((12_000,), 3)
    order = draw_order(begin, size, _generator(), width=6)
    assert (order[:, [0, 4, 5]] == torch.tensor([0, 4, 5])).all()
    seen = Counter(tuple(row) for row in order[:, 1:4].tolist())
    assert set(seen) == set(permutations((1, 2, 3)))
    assert all(abs(times - 2_000) < 5 * 2_000**0.5 for times in seen.values())


def test_numbers_below_a_bound_are_as_likely_as_each_other_and_0_without_one():
    drawn = draw_below(torch.full((9_000,), 3), _generator())
    assert all(abs(times - 3_000) < 300 for times in drawn.bincount(minlength=3).tolist()) and drawn.max() == 2
    assert draw_below(torch.tensor([0]), _generator()).tolist() == [0]


@pytest.mark.parametrize(("length", "at_least", "wanted"), [(10, 1, 3), (2, 1, 1), (1, 2, 1), (0, 1, 0), (3, 2, 2)])
def test_a_share_is_rounded_down_and_never_more_than_there_is(length, at_least, wanted):
    assert share_of(torch.tensor([length]), 0.35, at_least=at_least).tolist() == [wanted]
