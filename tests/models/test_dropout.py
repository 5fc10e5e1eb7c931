import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.models.dropout import FastDropout


@pytest.mark.parametrize("probability", [0.1, 0.2, 0.5, 0.9])
def test_kept_share_and_mean_are_those_of_dropout(probability):
    torch.manual_seed(0)
    n = 400_000
    dropped = FastDropout(probability)(torch.ones(n))
    # 1/512 is the rounding of the probability to 1/256; the rest is four standard errors.
    error = (probability * (1 - probability) / n) ** 0.5
    assert (dropped != 0).float().mean().item() == pytest.approx(1 - probability, abs=1 / 512 + 4 * error)
    assert dropped.mean().item() == pytest.approx(1, abs=4 * error / (1 - probability))


def test_neighbours_are_dropped_independently():
    torch.manual_seed(0)
    kept = (FastDropout(0.5)(torch.ones(100_000, 8)) != 0).float()
    correlation = torch.corrcoef(kept.t()) - torch.eye(8)
    assert correlation.abs().max() < 0.02


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(1, 5), max_size=3), st.floats(0, 0.9))
def test_each_element_is_zero_or_scaled_whatever_the_shape(shape, probability):
    dropout = FastDropout(probability)
    values = torch.rand(shape) + 1
    dropped = dropout(values)
    kept = 256 / (256 - round(256 * probability)) * values
    assert dropped.shape == values.shape
    assert bool(((dropped == 0) | torch.isclose(dropped, kept)).all())


def test_evaluation_changes_nothing():
    values = torch.rand(5, 7)
    assert torch.equal(FastDropout(0.5).eval()(values), values)


def test_probability_0_changes_nothing_in_training():
    values = torch.rand(5, 7)
    assert torch.equal(FastDropout(0.0)(values), values)


def test_gradient_passes_where_values_pass():
    torch.manual_seed(0)
    values = torch.ones(1000, requires_grad=True)
    dropped = FastDropout(0.5)(values)
    dropped.sum().backward()
    assert torch.equal(values.grad, dropped.detach())


def test_the_seed_fixes_the_mask():
    values = torch.ones(100)
    torch.manual_seed(5)
    first = FastDropout(0.5)(values)
    torch.manual_seed(5)
    assert torch.equal(FastDropout(0.5)(values), first)


def test_bfloat16_stays_bfloat16():
    assert FastDropout(0.2)(torch.ones(64, dtype=torch.bfloat16)).dtype == torch.bfloat16


def test_any_probability_below_1_gives_finite_values():
    assert FastDropout(0.999)(torch.ones(1000)).isfinite().all()
