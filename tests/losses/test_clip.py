import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import normalize

from recsys.losses.clip import clip_loss


def _pairs(seed, *, n=6):
    generator = torch.Generator().manual_seed(seed)
    vectors = (torch.randn(n, 4, generator=generator, dtype=torch.float64) for _ in range(2))
    return tuple(normalize(each, dim=1) for each in vectors)


def _nothing(n):
    return torch.zeros(n, n, dtype=torch.bool)


@pytest.mark.parametrize("seed", range(4))
def test_loss_is_the_sum_written_out_from_both_sides(seed):
    first, second = _pairs(seed)
    ignored = torch.rand(6, 6, generator=torch.Generator().manual_seed(seed)) < 0.3
    total = 0.0
    for row in range(6):
        own = math.exp(7 * float(first[row] @ second[row]))
        across = [math.exp(7 * float(first[row] @ second[k])) for k in range(6) if k == row or not ignored[row, k]]
        down = [math.exp(7 * float(first[k] @ second[row])) for k in range(6) if k == row or not ignored[k, row]]
        total -= math.log(own / sum(across)) + math.log(own / sum(down))
    loss = clip_loss(first, second, is_ignored=ignored, scale=torch.tensor(7.0))
    assert loss.item() == pytest.approx(total / 12, rel=1e-5)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000))
def test_sides_and_the_order_of_pairs_do_not_matter(seed):
    first, second = _pairs(seed)
    scale, order = torch.tensor(5.0), torch.randperm(6)
    plain = clip_loss(first, second, is_ignored=_nothing(6), scale=scale).item()
    assert clip_loss(second, first, is_ignored=_nothing(6), scale=scale).item() == pytest.approx(plain, rel=1e-5)
    assert clip_loss(first[order], second[order], is_ignored=_nothing(6), scale=scale).item() == pytest.approx(plain, rel=1e-5)


def test_equal_descriptions_that_are_ignored_cost_nothing():
    alike = normalize(torch.ones(3, 4), dim=1)
    loss = clip_loss(alike, alike, is_ignored=torch.ones(3, 3, dtype=torch.bool), scale=torch.tensor(9.0))
    assert loss.item() == pytest.approx(0, abs=1e-6)
    assert clip_loss(alike, alike, is_ignored=_nothing(3), scale=torch.tensor(9.0)).item() == pytest.approx(math.log(3))


def test_no_pairs_are_0_with_finite_gradients():
    first = torch.zeros(0, 4, requires_grad=True)
    clip_loss(first, first, is_ignored=_nothing(0), scale=torch.tensor(9.0)).backward()
    assert first.grad.shape == (0, 4)
