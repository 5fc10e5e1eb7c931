import math
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy, normalize

from recsys.losses.softmax import full_softmax
from tests import oracles

_SCALES = pytest.mark.parametrize("scale", [0.5, 20.0, 40.0, 41.0, 100.0])


def _inputs(n_rows, n_items, *, dim=4, scale=20.0, dtype=torch.float64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    users = normalize(torch.randn(n_rows, dim, generator=generator, dtype=dtype), dim=-1)
    items = normalize(torch.randn(n_items, dim, generator=generator, dtype=dtype), dim=-1)
    target_idx = torch.randint(0, n_items, (n_rows,), generator=generator)
    return users.requires_grad_(), items.requires_grad_(), target_idx, torch.tensor(scale, dtype=dtype, requires_grad=True)


_SMALLEST = 1  # a chunk of 64 rows


@_SCALES
def test_loss_and_gradients_are_those_of_the_sum_written_out(scale):
    users, items, target_idx, factor = _inputs(150, 9, scale=scale)
    loss = full_softmax(users, items, target_idx, scale=factor, chunk_scores=_SMALLEST)
    naive = oracles.softmax_loss(users, items, target_idx, scale=factor)
    assert loss.item() == pytest.approx(naive.item(), rel=1e-12)
    gradients = torch.autograd.grad(loss * 3, (users, items, factor))
    for found, wanted in zip(gradients, torch.autograd.grad(naive * 3, (users, items, factor)), strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("scale", [20.0, 60.0])
def test_gradients_pass_gradcheck(scale):
    users, items, target_idx, factor = _inputs(70, 5, dim=2, scale=scale)
    small = partial(full_softmax, chunk_scores=_SMALLEST)
    assert torch.autograd.gradcheck(lambda u, i, s: small(u, i, target_idx, scale=s), (users, items, factor))


@_SCALES
def test_float32_is_close_to_float64(scale):
    exact = _inputs(100, 300, scale=scale)
    rounded = [tensor.detach().float() if tensor.is_floating_point() else tensor for tensor in exact]
    wanted = full_softmax(*exact[:3], scale=exact[3]).item()
    assert full_softmax(*rounded[:3], scale=rounded[3]).item() == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("scale", [40.0, 41.0, 100.0])
def test_a_user_opposite_to_every_item_has_a_loss_and_a_gradient_in_float32(scale):
    users, items = -torch.ones(1, 1), torch.ones(3, 1)
    users.requires_grad_()
    loss = full_softmax(users, items, torch.tensor([1]), scale=torch.tensor(scale))
    assert loss.item() == pytest.approx(math.log(3), abs=1e-4)
    assert torch.autograd.grad(loss, users)[0].abs().item() < 1e-4


def test_the_size_of_chunks_changes_no_gradient():
    users, items, target_idx, scale = _inputs(200, 7)
    whole = torch.autograd.grad(full_softmax(users, items, target_idx, scale=scale), (users, items, scale))
    loss = full_softmax(users, items, target_idx, scale=scale, chunk_scores=_SMALLEST)
    parts = torch.autograd.grad(loss, (users, items, scale))
    for found, wanted in zip(parts, whole, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-10, atol=1e-14)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000))
def test_permuting_pairs_or_items_changes_no_loss(seed):
    users, items, target_idx, scale = _inputs(30, 8, seed=seed)
    loss = full_softmax(users, items, target_idx, scale=scale).item()
    rows, columns = torch.randperm(30), torch.randperm(8)
    assert full_softmax(users[rows], items, target_idx[rows], scale=scale).item() == pytest.approx(loss, rel=1e-12)
    moved = full_softmax(users, items[columns], columns.argsort()[target_idx], scale=scale)
    assert moved.item() == pytest.approx(loss, rel=1e-12)


def test_bfloat16_autocast_is_close_to_float32():
    users, items, target_idx, scale = _inputs(300, 200, dim=32, dtype=torch.float32)
    plain = full_softmax(users, items, target_idx, scale=scale)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cast = full_softmax(users, items, target_idx, scale=scale)
    assert cast.dtype == torch.float32
    assert cast.item() == pytest.approx(plain.item(), rel=0.01)
    assert cast.item() != plain.item()
    gradients = zip(
        torch.autograd.grad(cast, (users, items, scale)), torch.autograd.grad(plain, (users, items, scale)), strict=True
    )
    for found, wanted in gradients:
        assert found.dtype == torch.float32
        assert (found - wanted).norm() <= 0.03 * wanted.norm()


def test_loss_falls_along_its_gradient():
    users, items, target_idx, scale = _inputs(40, 10)
    loss = full_softmax(users, items, target_idx, scale=scale)
    to_users, to_items, to_scale = torch.autograd.grad(loss, (users, items, scale))
    rate = 1e-3
    moved = full_softmax(users - rate * to_users, items - rate * to_items, target_idx, scale=scale - rate * to_scale)
    fall = rate * (to_users.square().sum() + to_items.square().sum() + to_scale.square())
    assert loss.item() - moved.item() == pytest.approx(fall.item(), rel=0.05)


def test_it_is_pytorch_cross_entropy_on_scaled_cosines():
    users, items, target_idx, scale = _inputs(64, 12)
    wanted = cross_entropy(scale * users @ items.t(), target_idx)
    assert full_softmax(users, items, target_idx, scale=scale).item() == pytest.approx(wanted.item(), rel=1e-12)


@_SCALES
def test_offsets_are_added_to_the_logits_of_items(scale):
    users, items, target_idx, factor = _inputs(150, 9, scale=scale)
    offset = -torch.linspace(0, 12, 9, dtype=torch.float64)
    loss = full_softmax(users, items, target_idx, scale=factor, offset=offset, chunk_scores=_SMALLEST)
    naive = cross_entropy(factor * users @ items.t() + offset, target_idx)
    assert loss.item() == pytest.approx(naive.item(), rel=1e-12)
    inputs = (users, items, factor)
    for found, wanted in zip(torch.autograd.grad(loss, inputs), torch.autograd.grad(naive, inputs), strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-9, atol=1e-12)


def test_what_is_taken_off_in_training_is_in_the_scores_that_are_learned():
    chance, popularity = torch.tensor([0.2, 0.3, 0.5]).double(), torch.tensor([0.7, 0.2, 0.1]).double()
    items, target_idx = torch.eye(3).double(), torch.repeat_interleave(torch.arange(3), torch.tensor([2, 3, 5]))
    user, scale = torch.ones(3, dtype=torch.float64, requires_grad=True), torch.tensor(9.0).double()
    optimizer = torch.optim.LBFGS([user], max_iter=200, tolerance_grad=1e-12, line_search_fn="strong_wolfe")

    def step():
        optimizer.zero_grad()
        users = normalize(user, dim=0).expand(10, 3)
        loss = full_softmax(users, items, target_idx, scale=scale, offset=-2 * popularity.log() + 2 * popularity.min().log())
        loss.backward()
        return loss

    optimizer.step(step)
    learned = (scale * normalize(user.detach(), dim=0)).softmax(0)
    wanted = chance * popularity**2
    torch.testing.assert_close(learned, wanted / wanted.sum(), rtol=1e-4, atol=0)
