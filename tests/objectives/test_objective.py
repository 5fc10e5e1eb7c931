from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from recsys.objectives.encoded_items import encode_items
from recsys.objectives.objective import Objective
from recsys.objectives.same_target import SameTarget, SameTargetSettings
from recsys.objectives.term import Part
from recsys.objectives.workers import Workers
from recsys.sampling.batches import build_batch, plan_epoch
from tests import oracles


@pytest.fixture
def model(world, build_towers):
    return build_towers(n_items=len(world.items), n_users=len(world.users)).eval()


@pytest.fixture
def batch(world):
    """The first batch of an epoch."""
    windows = plan_epoch(world.histories, history_length=20, batch_tokens=64, rng=np.random.default_rng(0))[0]
    return build_batch(world.histories, windows, use_time=True)


@pytest.fixture
def objective(world, model, training_settings):
    """Build an objective; keywords change the settings."""

    def build(**settings):
        given = {"histories": world.histories, "log_popularity": world.log_popularity, "device": torch.device("cpu")}
        return Objective(training_settings(**settings).values, model=model, **given)

    return build


def _all_items(model):
    return encode_items(model, None, device=torch.device("cpu"))


def _part(model, batch, draw):
    given = {"n_rows": draw.n_rows, "n_targets": draw.n_targets, "workers": Workers()}
    return Part(model=model, batch=batch, items=_all_items(model), **given)


def _without(draw, *names):
    """A draw in which some terms drew nothing."""
    return replace(draw, terms={name: drawn for name, drawn in draw.terms.items() if name not in names})


def _targets(model, batch):
    """User vectors of every event with a target, one at a time, and the targets."""
    users, targets = [], []
    for row in range(len(batch.user_idx)):
        for place in range(int(batch.length[row])):
            part = slice(0, place + 1)
            history = model.item_tower(batch.item_idx[row, part])[None]
            is_wanted = torch.arange(place + 1)[None] == place
            users.append(
                model.encode_prefixes(
                    history,
                    gap=batch.gap[row : row + 1, part],
                    request_gap=batch.request_gap[row : row + 1, part],
                    user_idx=batch.user_idx[row : row + 1],
                    is_wanted=is_wanted,
                )
            )
            targets.append(int(batch.target_idx[row, place]))
    return torch.cat(users), torch.tensor(targets)


def test_full_loss_is_the_softmax_of_each_prefix_on_its_own(model, batch, objective):
    users, targets = _targets(model, batch)
    items = model.encode_items(torch.arange(model.spec.n_items))
    wanted = oracles.softmax_loss(users, items, targets, scale=model.scale)
    full = objective()
    draw = full.draw(batch, rng=np.random.default_rng(0))
    assert full.loss(model, batch, draw, workers=Workers()).item() == pytest.approx(wanted.item(), rel=1e-4)
    torch.testing.assert_close(_part(model, batch, draw).users, users, rtol=0, atol=1e-5)


@pytest.mark.parametrize("exponent", [0.0, 2.0, -1.0])
@pytest.mark.parametrize("corrected_positive", [False, True])
def test_the_sampled_loss_is_the_sum_over_negatives_that_are_not_the_target(
    world, model, batch, objective, corrected_positive, exponent
):
    counts = {"n_in_batch": 8, "n_uniform": 6, "n_popular": 5}
    sampled = objective(full_softmax_limit=0, corrected_positive=corrected_positive, popularity_exponent=exponent, **counts)
    draw = sampled.draw(batch, rng=np.random.default_rng(4))
    negative_idx = draw.terms["next_item"].item_idx
    users, targets = _targets(model, batch)
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
    users, targets = _targets(model, batch)
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


def test_the_contrast_is_the_sum_over_anchors_with_the_same_target(model, batch, objective):
    draw = objective(same_target_weight=1.0).draw(batch, rng=np.random.default_rng(0))
    users, targets = _targets(model, batch)
    owners = batch.user_idx.repeat_interleave(batch.length)
    anchors = draw.terms["same_target"]
    chosen = anchors.number[batch.target_idx >= 0] >= 0
    scale = model.scale.item()
    wanted = oracles.supervised_contrastive_loss(users[chosen], targets[chosen], owners[chosen], scale=scale)
    loss = SameTarget(SameTargetSettings(same_target_weight=1.0)).loss(_part(model, batch, draw), anchors)
    assert 0 < loss.item() == pytest.approx(wanted, rel=1e-4)


def test_the_weight_of_the_contrast_is_its_share_of_the_loss(model, batch, objective):
    plain = objective().draw(batch, rng=np.random.default_rng(0))
    alone = objective().loss(model, batch, plain, workers=Workers()).item()
    weighted = objective(same_target_weight=0.5)
    draw = weighted.draw(batch, rng=np.random.default_rng(0))
    contrast = weighted.terms["same_target"].loss(_part(model, batch, draw), draw.terms["same_target"]).item()
    assert weighted.loss(model, batch, draw, workers=Workers()).item() == pytest.approx(alone + 0.5 * contrast, rel=1e-4)


def test_anchors_are_targets_each_chosen_once_and_no_more_than_the_most(batch):
    term = SameTarget(SameTargetSettings(same_target_weight=1.0), most_anchors=9)
    drawn = term.draw(batch, rng=np.random.default_rng(0))
    chosen = drawn.number[drawn.number >= 0]
    assert sorted(chosen.tolist()) == list(range(9))
    assert drawn.n_anchors == 9
    assert (batch.target_idx[drawn.number >= 0] >= 0).all()


def test_the_full_softmax_alone_draws_nothing(batch, objective):
    draw = objective().draw(batch, rng=np.random.default_rng(0))
    assert (draw.terms, draw.distinct) == ({}, None)
    assert draw.n_targets == int((batch.target_idx >= 0).sum())


def test_the_contrast_pulls_at_no_temperature(model, batch, objective):
    weighted = objective(same_target_weight=1.0)
    draw = weighted.draw(batch, rng=np.random.default_rng(0))
    gradients = []
    for choice in (objective(), weighted):
        model.zero_grad()
        choice.loss(model, batch, draw if choice is weighted else _without(draw, "same_target"), workers=Workers()).backward()
        gradients.append(model.log_scale.grad.item())
    assert gradients[0] == pytest.approx(gradients[1], rel=1e-5)


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
