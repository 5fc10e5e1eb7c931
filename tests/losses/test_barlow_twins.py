import numpy as np
import pytest
import torch

from recsys.losses.barlow_twins import barlow_twins


def _written_out(first, second, weight):
    """Equation 1 of the paper, pair of dimensions by pair of dimensions, over D."""
    n, dim = first.shape
    z = [(views - views.mean(0)) / np.sqrt(views.var(0) + 1e-5) for views in (first, second)]
    total = 0.0
    for i in range(dim):
        for j in range(dim):
            c = (z[0][:, i] * z[1][:, j]).sum() / n
            total += (1 - c) ** 2 if i == j else weight * c**2
    return total / dim


def test_it_is_the_sum_over_pairs_of_dimensions():
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 30, 5)).astype(np.float32)
    loss = barlow_twins(torch.from_numpy(first), torch.from_numpy(second), redundancy_weight=0.3)
    assert loss.item() == pytest.approx(_written_out(first.astype(np.float64), second.astype(np.float64), 0.3), rel=1e-4)


def test_equal_views_with_independent_dimensions_have_no_loss():
    views = torch.from_numpy(np.linalg.qr(np.random.default_rng(1).normal(size=(400, 4)))[0]).float() * 20
    views = views - views.mean(0)
    assert barlow_twins(views, views, redundancy_weight=1.0).item() < 0.02


def test_the_gradient_is_that_of_autograd_in_double():
    first, second = (torch.randn(7, 3, dtype=torch.float64, requires_grad=True) for _ in range(2))
    loss = barlow_twins(first, second, redundancy_weight=0.1)
    loss.backward()
    step = 1e-3
    moved = first.detach().clone()
    moved[2, 1] += step
    difference = (barlow_twins(moved, second.detach(), redundancy_weight=0.1) - loss.detach()) / step
    assert first.grad[2, 1].item() == pytest.approx(difference.item(), abs=5e-3)


def test_one_row_has_nothing_to_correlate():
    assert barlow_twins(torch.randn(1, 4), torch.randn(1, 4), redundancy_weight=0.1).item() == 0
