import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import normalize

from recsys.losses.supervised_contrastive import supervised_contrastive
from tests import oracles


def _world(seed, *, n=8):
    generator = torch.Generator().manual_seed(seed)
    vectors = normalize(torch.randn(n, 4, generator=generator, dtype=torch.float64), dim=1)
    label, owner = (torch.randint(0, 3, (n,), generator=generator) for _ in range(2))
    is_self = torch.eye(n, dtype=torch.bool)
    same_label, same_owner = (values[:, None] == values[None, :] for values in (label, owner))
    masks = {"is_positive": same_label & ~is_self, "is_ignored": is_self | (same_owner & ~same_label)}
    return vectors, label, owner, masks


@pytest.mark.parametrize("seed", range(5))
def test_loss_is_the_sum_written_out(seed):
    vectors, label, owner, masks = _world(seed)
    loss = supervised_contrastive(vectors, vectors, **masks, scale=torch.tensor(9.0))
    wanted = oracles.supervised_contrastive_loss(vectors, label.tolist(), owner.tolist(), scale=9.0)
    assert loss.item() == pytest.approx(wanted, rel=1e-5)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000))
def test_permuting_anchors_and_keys_changes_no_loss(seed):
    vectors, _, _, masks = _world(seed)
    plain = supervised_contrastive(vectors, vectors, **masks, scale=torch.tensor(5.0))
    rows, columns = torch.randperm(8), torch.randperm(8)
    mixed = {name: mask[rows][:, columns] for name, mask in masks.items()}
    moved = supervised_contrastive(vectors[rows], vectors[columns], **mixed, scale=torch.tensor(5.0))
    assert moved.item() == pytest.approx(plain.item(), rel=1e-5, abs=1e-9)


def test_the_gradient_pulls_positives_together_and_pushes_negatives_apart():
    anchor = torch.tensor([[1.0, 0.0]], requires_grad=True)
    keys = torch.tensor([[0.6, 0.8], [0.6, -0.8]])
    masks = {"is_positive": torch.tensor([[True, False]]), "is_ignored": torch.zeros(1, 2, dtype=torch.bool)}
    supervised_contrastive(anchor, keys, **masks, scale=torch.tensor(1.0)).backward()
    assert anchor.grad[0, 1] < 0


def test_ignored_keys_change_neither_loss_nor_gradient():
    vectors, _, _, masks = _world(1)
    masks["is_ignored"][:, 5] = True
    anchors = vectors.clone().requires_grad_()
    before = supervised_contrastive(anchors, vectors, **masks, scale=torch.tensor(5.0))
    wanted = torch.autograd.grad(before, anchors)[0]
    changed = vectors.clone()
    changed[5] = -changed[5]
    after = supervised_contrastive(anchors, changed, **masks, scale=torch.tensor(5.0))
    assert after.item() == before.item()
    torch.testing.assert_close(torch.autograd.grad(after, anchors)[0], wanted, rtol=0, atol=0)


def test_anchors_without_a_positive_and_no_anchors_at_all_are_0_with_finite_gradients():
    vectors = _world(0)[0].requires_grad_()
    nothing, everything = torch.zeros(8, 8, dtype=torch.bool), torch.ones(8, 8, dtype=torch.bool)
    lonely = supervised_contrastive(vectors, vectors, is_positive=nothing, is_ignored=everything, scale=torch.tensor(5.0))
    empty = supervised_contrastive(
        vectors[:0], vectors, is_positive=nothing[:0], is_ignored=nothing[:0], scale=torch.tensor(5.0)
    )
    assert (lonely.item(), empty.item()) == (0, 0)
    assert torch.autograd.grad(lonely + empty, vectors)[0].isfinite().all()
