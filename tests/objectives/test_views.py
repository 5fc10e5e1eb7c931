"""Contrast between histories: views of one user attract each other, and a queue stands in for a large batch."""

import numpy as np
import pytest
import torch

from recsys.augmentation.compose import AugmentationSettings, Augmenter
from recsys.augmentation.sequences import build_view, read_sequences
from recsys.inference.embedding import encode_last
from recsys.models.momentum import MomentumTowers
from recsys.objectives.encoded_items import encode_items
from recsys.objectives.key_queue import KeyQueue
from recsys.objectives.term import Part
from recsys.objectives.view_pairs import ViewPairs
from recsys.objectives.views import Views, ViewSettings
from recsys.objectives.workers import Workers
from recsys.sampling.batches import request_batches
from tests import oracles

CPU = torch.device("cpu")


@pytest.fixture
def model(world, build_towers):
    return build_towers(n_items=len(world.items), n_users=len(world.users), has_view_head=True).eval()


@pytest.fixture
def views(world):
    """Two views of 24 users, the first of whom is there twice."""
    users = np.array([0, *range(23)])
    batches = request_batches(
        world.histories, users, history_length=20, batch_tokens=10**6, use_time=True, held_out="validation"
    )
    ((_, batch),) = list(batches)
    augmenter = Augmenter(AugmentationSettings(operators=("crop", "mask", "reorder")), similar=None, most=20)
    both = augmenter.two_views(read_sequences(batch), generator=torch.Generator().manual_seed(0))
    return tuple(build_view(view, batch.user_idx) for view in both)


def _projected(model, views):
    items = encode_items(model, None, device=CPU)
    return torch.cat([model.project(encode_last(model, view, history=items.history(view.item_idx))) for view in views])


def _contrast(model, views, *, momentum=None, queue=None):
    term = Views(ViewSettings(view_weight=1.0, view_scale=6.0), augmenter=None, queue=queue, device=CPU)
    items, n_rows = encode_items(model, None, device=CPU), len(views[0].length)
    part = Part(model=model, batch=None, items=items, n_rows=n_rows, n_targets=0, workers=Workers(), momentum=momentum)
    loss = term.loss(part, ViewPairs(first=views[0], second=views[1]))
    if queue is not None:
        queue.push(*part.keys["views"])
    return loss


def test_the_loss_is_nt_xent_of_both_views_and_a_user_is_no_negative_of_itself(model, views):
    owner = views[0].user_idx.tolist() * 2
    assert len(set(owner)) == 23
    wanted = oracles.nt_xent_loss(_projected(model, views).detach().double(), owner, scale=6.0)
    assert _contrast(model, views).item() == pytest.approx(wanted, rel=1e-4)


def test_the_loss_reaches_all_that_makes_a_user_vector_and_no_temperature(model, views):
    _contrast(model, views).backward()
    reached = {name for name, parameter in model.named_parameters() if parameter.grad is not None}
    assert reached == {name for name, _ in model.named_parameters()} - {"log_scale"}


def test_the_queue_reproduces_the_gradient_of_one_large_batch_when_the_encoder_stands_still(model, views):
    # A key that a step of its own brings is not there a second time, so each user is there once.
    views = tuple(view.rows(slice(1, None)) for view in views)
    n_rows, momentum = len(views[0].length), MomentumTowers(model, momentum=0.9, shares_ids=False)
    whole = KeyQueue(1, model.spec.dim, device=CPU)
    _contrast(model, views, momentum=momentum, queue=whole).backward()
    large = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    queue = KeyQueue(2 * n_rows, model.spec.dim, device=CPU)
    queue.push(_projected(model, views), views[0].user_idx.repeat(2))
    model.zero_grad()
    for begin in range(0, n_rows, 6):
        part = tuple(view.rows(slice(begin, begin + 6)) for view in views)
        own = set(part[0].user_idx.tolist())
        # A small batch sees its own keys itself, so the queue must hold those of the other users alone.
        others = torch.tensor([user not in own for user in views[0].user_idx.repeat(2).tolist()])
        rest = KeyQueue(2 * n_rows, model.spec.dim, device=CPU)
        rest.push(queue.vectors[others], queue.idx[others])
        loss = _contrast(model, part, momentum=momentum, queue=rest)
        (loss * len(part[0].length) / n_rows).backward()
    for name, gradient in large.items():
        torch.testing.assert_close(model.get_parameter(name).grad, gradient, rtol=1e-3, atol=1e-6)


def test_keys_join_the_queue_behind_the_loss_and_count_from_the_next_step_on(model, views):
    momentum, queue = MomentumTowers(model, momentum=0.9, shares_ids=False), KeyQueue(500, 16, device=CPU)
    first = _contrast(model, views, momentum=momentum, queue=queue)
    assert len(queue) == 2 * len(views[0].length)
    assert set(queue.idx.tolist()) == set(views[0].user_idx.tolist())
    torch.testing.assert_close(queue.vectors, _projected(model, views).detach())
    strangers = tuple(view.rows(slice(None)) for view in views)
    for view in strangers:
        view.user_idx.add_(100)
    assert _contrast(model, strangers, momentum=momentum, queue=queue).item() > first.item()


def test_training_on_views_alone_makes_two_views_of_a_user_nearest_to_each_other(model, views):
    optimizer, distinct = torch.optim.Adam(model.parameters(), lr=5e-3), tuple(view.rows(slice(1, None)) for view in views)

    def share_found():
        first, second = _projected(model, distinct).detach().chunk(2)
        return ((first @ second.t()).argmax(1) == torch.arange(len(first))).float().mean().item()

    before = share_found()
    for _ in range(40):
        optimizer.zero_grad()
        _contrast(model, distinct).backward()
        optimizer.step()
    assert share_found() > 0.9 > before


def test_no_rows_have_no_loss(model, views):
    nothing = tuple(view.rows(slice(0, 0)) for view in views)
    queue = {"momentum": MomentumTowers(model, momentum=0.9, shares_ids=False), "queue": KeyQueue(4, 16, device=CPU)}
    assert _contrast(model, nothing).item() == 0
    assert _contrast(model, nothing, **queue).item() == 0
