import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import normalize

from recsys.losses.nt_xent import nt_xent
from tests import oracles


def _world(seed, *, n=5):
    generator = torch.Generator().manual_seed(seed)
    vectors = normalize(torch.randn(2 * n, 4, generator=generator, dtype=torch.float64), dim=1)
    owner = torch.randint(0, n - 1, (n,), generator=generator).repeat(2)
    return vectors, vectors.roll(n, 0), owner, owner[:, None] == owner[None, :]


@pytest.mark.parametrize("seed", range(5))
def test_loss_is_the_sum_written_out(seed):
    vectors, partners, owner, ignored = _world(seed)
    loss = nt_xent(vectors, partners, vectors, is_ignored=ignored, scale=torch.tensor(9.0))
    assert loss.item() == pytest.approx(oracles.nt_xent_loss(vectors, owner.tolist(), scale=9.0), rel=1e-5)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000))
def test_permuting_anchors_and_keys_changes_no_loss(seed):
    vectors, partners, _, ignored = _world(seed)
    plain = nt_xent(vectors, partners, vectors, is_ignored=ignored, scale=torch.tensor(5.0))
    rows, columns = torch.randperm(10), torch.randperm(10)
    mixed = ignored[rows][:, columns]
    moved = nt_xent(vectors[rows], partners[rows], vectors[columns], is_ignored=mixed, scale=torch.tensor(5.0))
    assert moved.item() == pytest.approx(plain.item(), rel=1e-5)


def test_equal_views_among_opposite_keys_cost_next_to_nothing_and_all_alike_cost_their_logarithm():
    east = torch.tensor([[1.0, 0.0]])
    nothing = torch.zeros(1, 7, dtype=torch.bool)
    assert nt_xent(east, east, -east.repeat(7, 1), is_ignored=nothing, scale=torch.tensor(50.0)).item() < 1e-6
    alike = nt_xent(east, east, east.repeat(7, 1), is_ignored=nothing, scale=torch.tensor(50.0))
    assert alike.item() == pytest.approx(torch.tensor(8.0).log().item(), rel=1e-5)


def test_ignored_keys_and_no_anchors_are_0_with_finite_gradients():
    vectors = _world(0)[0].requires_grad_()
    everything = torch.ones(10, 10, dtype=torch.bool)
    lonely = nt_xent(vectors, vectors, vectors, is_ignored=everything, scale=torch.tensor(5.0))
    empty = nt_xent(vectors[:0], vectors[:0], vectors, is_ignored=everything[:0], scale=torch.tensor(5.0))
    assert (lonely.item(), empty.item()) == (0, 0)
    assert torch.autograd.grad(lonely + empty, vectors)[0].isfinite().all()


def test_gradients_are_those_of_autograd_in_double_precision():
    vectors, partners, _, ignored = _world(3)

    def loss(anchors, positives, keys):
        return nt_xent(anchors, positives, keys, is_ignored=ignored, scale=torch.tensor(3.0, dtype=torch.float64))

    inputs = [tensor.clone().requires_grad_() for tensor in (vectors, partners, vectors)]
    # The logits are float32, so the steps have to be wide.
    assert torch.autograd.gradcheck(loss, inputs, eps=1e-2, atol=2e-2, rtol=2e-2)
