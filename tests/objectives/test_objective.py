import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from recsys.objectives.workers import Workers
from recsys.sampling.batches import build_batch, plan_epoch
from tests import oracles
from tests.objectives.parts import part_of, targets_of


def test_full_loss_is_the_softmax_of_each_prefix_on_its_own(model, batch, objective):
    users, targets = targets_of(model, batch)
    items = model.encode_items(torch.arange(model.spec.n_items))
    wanted = oracles.softmax_loss(users, items, targets, scale=model.scale)
    full = objective()
    draw = full.draw(batch, rng=np.random.default_rng(0))
    assert full.loss(model, batch, draw, workers=Workers()).item() == pytest.approx(wanted.item(), rel=1e-4)
    torch.testing.assert_close(part_of(model, batch, draw).users, users, rtol=0, atol=1e-5)


@pytest.mark.parametrize("exponent", [0.0, 2.0, -1.0])
@pytest.mark.parametrize("corrected_positive", [False, True])
def test_the_sampled_loss_is_the_sum_over_negatives_that_are_not_the_target(
    world, model, batch, objective, corrected_positive, exponent
):
    counts = {"n_in_batch": 8, "n_uniform": 6, "n_popular": 5}
    sampled = objective(full_softmax_limit=0, corrected_positive=corrected_positive, popularity_exponent=exponent, **counts)
    draw = sampled.draw(batch, rng=np.random.default_rng(4))
    negative_idx = draw.terms["next_item"].item_idx
    users, targets = targets_of(model, batch)
    taken_off = exponent * torch.from_numpy(np.array(world.log_popularity))
    log_expected = (sampled.terms["next_item"].log_expected + taken_off)[negative_idx]
    shift = taken_off[targets] + (sampled.terms["next_item"].log_expected[targets] if corrected_positive else 0)
    wanted = np.mean(
        [
            oracles.sampled_softmax_loss(
                users[row : row + 1],
                model.encode_items(targets[row : row + 1]),
                model.encode_items(negative_idx),
                # Dividing the positive by its own expectation is dividing all the others by its inverse.
                log_expected=log_expected - shift[row],
                is_false_negative=[[bool(targets[row] == negative) for negative in negative_idx]],
                scale=model.scale.item(),
            )
            for row in range(len(targets))
        ]
    )
    assert len(negative_idx) == 19
    assert sampled.loss(model, batch, draw, workers=Workers()).item() == pytest.approx(wanted, rel=1e-4)


@pytest.mark.parametrize("exponent", [2.0, -1.0])
def test_the_popularity_exponent_is_taken_off_the_logits_of_the_full_softmax(world, model, batch, objective, exponent):
    users, targets = targets_of(model, batch)
    full = objective(popularity_exponent=exponent)
    logits = model.scale * users @ model.encode_items(torch.arange(model.spec.n_items)).t()
    wanted = cross_entropy(logits - exponent * torch.from_numpy(np.array(world.log_popularity)), targets)
    draw = full.draw(batch, rng=np.random.default_rng(0))
    assert full.loss(model, batch, draw, workers=Workers()).item() == pytest.approx(wanted.item(), rel=1e-4)


def test_full_loss_reaches_every_parameter(model, batch, objective):
    full = objective()
    full.loss(model, batch, full.draw(batch, rng=np.random.default_rng(0)), workers=Workers()).backward()
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in model.parameters())


@pytest.mark.parametrize("limit", [10_000, 0], ids=["full", "sampled"])
def test_the_parts_of_a_batch_add_up_to_the_whole(model, batch, objective, limit):
    whole = objective(full_softmax_limit=limit)
    draw = whole.draw(batch, rng=np.random.default_rng(0))
    together = whole.loss(model, batch, draw, workers=Workers())
    cuts = [slice(0, 1), slice(1, 1), slice(1, None)]
    parts = [whole.loss(model, batch.rows(cut), draw.rows(cut, torch.device("cpu")), workers=Workers()).item() for cut in cuts]
    assert parts[1] == 0
    assert sum(parts) == pytest.approx(together.item(), rel=1e-5)


def test_hard_negatives_make_the_loss_smaller_and_all_of_them_change_nothing(model, batch, objective):
    plain = {"full_softmax_limit": 0, "n_in_batch": 10, "n_uniform": 10}
    draw = objective(**plain).draw(batch, rng=np.random.default_rng(0))
    losses = [objective(**plain, n_hard=n).loss(model, batch, draw, workers=Workers()).item() for n in (0, 20, 3)]
    assert losses[0] == losses[1]
    assert losses[2] < losses[0]


def test_the_full_softmax_alone_draws_nothing(batch, objective):
    draw = objective().draw(batch, rng=np.random.default_rng(0))
    assert (draw.terms, draw.distinct) == ({}, None)
    assert draw.n_targets == int((batch.target_idx >= 0).sum())


def test_padding_is_no_item_of_a_sampled_step(world, model, objective):
    histories, sampled = world.histories, objective(full_softmax_limit=0, n_in_batch=0, n_uniform=1)
    windows = plan_epoch(histories, history_length=20, batch_tokens=64, rng=np.random.default_rng(0))
    for chosen in windows:
        whole = build_batch(histories, chosen, use_time=True)
        draw = sampled.draw(whole, rng=np.random.default_rng(0))
        inside = whole.target_idx >= 0
        negatives = draw.terms["next_item"].item_idx.tolist()
        wanted = {*whole.item_idx[inside].tolist(), *whole.target_idx[inside].tolist(), *negatives}
        assert set(draw.distinct.tolist()) == wanted


def test_without_a_queue_there_is_nothing_to_carry(objective):
    assert objective().state() == {}


def test_a_loss_changes_nothing_but_the_keys_of_its_draw(model, batch, objective):
    queued = objective(view_weight=1.0, queue_size=64, full_softmax_limit=0, operators=["crop"])
    draw = queued.draw(batch, rng=np.random.default_rng(0))
    before = {name: tensor.clone() for name, tensor in queued.state().items()}
    queued.loss(model, batch, draw, workers=Workers())
    assert all(torch.equal(tensor, before[name]) for name, tensor in queued.state().items())
    queued.end_step(draw)
    assert set(draw.keys) == {"next_item", "views"}
    assert all(len(queue) > 0 for queue in queued.queues.values())
