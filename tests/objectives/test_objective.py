from dataclasses import replace

import numpy as np
import pytest
import torch
from recsys.objectives.contrast import same_target_contrast
from torch.nn.functional import cross_entropy

from recsys.core.errors import ConfigError
from recsys.objectives.encoded_items import encode_items
from recsys.objectives.next_item import full_loss
from recsys.objectives.objective import Objective
from recsys.objectives.workers import Workers
from recsys.sampling.batches import build_batch, plan_epoch
from recsys.training.settings import ContrastTerms
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
        return Objective(
            training_settings(**settings), model=model, log_popularity=world.log_popularity, device=torch.device("cpu")
        )

    return build


def _all_items(model):
    return encode_items(model, None, device=torch.device("cpu"))


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


def test_full_loss_is_the_softmax_of_each_prefix_on_its_own(model, batch):
    users, targets = _targets(model, batch)
    items = model.encode_items(torch.arange(model.spec.n_items))
    wanted = oracles.softmax_loss(users, items, targets, scale=model.scale)
    loss, vectors = full_loss(model, batch, _all_items(model))
    assert loss.item() == pytest.approx(wanted.item(), rel=1e-4)
    torch.testing.assert_close(vectors, users, rtol=0, atol=1e-5)


@pytest.mark.parametrize("exponent", [0.0, 2.0, -1.0])
@pytest.mark.parametrize("corrected_positive", [False, True])
def test_the_sampled_loss_is_the_sum_over_negatives_that_are_not_the_target(
    world, model, batch, objective, corrected_positive, exponent
):
    counts = {"n_in_batch": 8, "n_uniform": 6, "n_popular": 5}
    sampled = objective(full_softmax_limit=0, corrected_positive=corrected_positive, popularity_exponent=exponent, **counts)
    draw = sampled.draw(batch, rng=np.random.default_rng(4))
    users, targets = _targets(model, batch)
    taken_off = exponent * torch.from_numpy(np.array(world.log_popularity))
    log_expected = (sampled.log_expected + taken_off)[draw.negative_idx]
    shift = taken_off[targets] + (sampled.log_expected[targets] if corrected_positive else 0)
    wanted = np.mean(
        [
            oracles.sampled_softmax_loss(
                users[row : row + 1],
                model.encode_items(targets[row : row + 1]),
                model.encode_items(draw.negative_idx),
                # Dividing the positive by its own expectation is dividing all the others by its inverse.
                log_expected=log_expected - shift[row],
                is_false_negative=[[bool(targets[row] == negative) for negative in draw.negative_idx]],
                scale=model.scale.item(),
            )
            for row in range(len(targets))
        ]
    )
    assert len(draw.negative_idx) == 19
    assert sampled.loss(model, batch, draw, workers=Workers()).item() == pytest.approx(wanted, rel=1e-4)


@pytest.mark.parametrize("exponent", [2.0, -1.0])
def test_the_popularity_exponent_is_taken_off_the_logits_of_the_full_softmax(world, model, batch, objective, exponent):
    users, targets = _targets(model, batch)
    full = objective(popularity_exponent=exponent)
    logits = model.scale * users @ model.encode_items(torch.arange(model.spec.n_items)).t()
    wanted = cross_entropy(logits - exponent * torch.from_numpy(np.array(world.log_popularity)), targets)
    draw = full.draw(batch, rng=np.random.default_rng(0))
    assert full.loss(model, batch, draw, workers=Workers()).item() == pytest.approx(wanted.item(), rel=1e-4)


def test_full_loss_reaches_every_parameter(model, batch):
    full_loss(model, batch, _all_items(model))[0].backward()
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
    chosen = draw.anchor[batch.target_idx >= 0] >= 0
    wanted = oracles.supervised_contrastive_loss(users[chosen], targets[chosen], owners[chosen], scale=7.0)
    loss = same_target_contrast(users, batch, draw.anchor, n_anchors=draw.n_anchors, scale=torch.tensor(7.0), workers=Workers())
    assert 0 < loss.item() == pytest.approx(wanted, rel=1e-4)


def test_the_weight_of_the_contrast_is_its_share_of_the_loss(model, batch, objective):
    plain = objective().draw(batch, rng=np.random.default_rng(0))
    alone = objective().loss(model, batch, plain, workers=Workers()).item()
    weighted = objective(same_target_weight=0.5)
    draw = weighted.draw(batch, rng=np.random.default_rng(0))
    users, _ = _targets(model, batch)
    contrast = same_target_contrast(
        users, batch, draw.anchor, n_anchors=draw.n_anchors, scale=model.scale, workers=Workers()
    ).item()
    assert weighted.loss(model, batch, draw, workers=Workers()).item() == pytest.approx(alone + 0.5 * contrast, rel=1e-4)


def test_anchors_are_targets_each_chosen_once_and_no_more_than_the_most(batch, objective, monkeypatch):
    monkeypatch.setattr("recsys.objectives.objective._MOST_ANCHORS", 9)
    draw = objective(same_target_weight=1.0).draw(batch, rng=np.random.default_rng(0))
    chosen = draw.anchor[draw.anchor >= 0]
    assert sorted(chosen.tolist()) == list(range(9))
    assert draw.n_anchors == 9
    assert (batch.target_idx[draw.anchor >= 0] >= 0).all()


def test_without_a_weight_there_is_no_anchor_and_the_full_softmax_draws_nothing(batch, objective):
    draw = objective().draw(batch, rng=np.random.default_rng(0))
    assert (draw.n_anchors, draw.negative_idx, draw.distinct) == (0, None, None)
    assert (draw.anchor == -1).all()
    assert replace(draw, n_anchors=0).n_targets == int((batch.target_idx >= 0).sum())


def test_the_contrast_pulls_at_no_temperature(model, batch, objective):
    weighted = objective(same_target_weight=1.0)
    draw = weighted.draw(batch, rng=np.random.default_rng(0))
    gradients = []
    for choice in (objective(), weighted):
        model.zero_grad()
        choice.loss(model, batch, draw if choice is weighted else replace(draw, n_anchors=0), workers=Workers()).backward()
        gradients.append(model.log_scale.grad.item())
    assert gradients[0] == pytest.approx(gradients[1], rel=1e-5)


def test_padding_is_no_item_of_a_sampled_step(world, model, objective):
    histories, sampled = world.histories, objective(full_softmax_limit=0, n_in_batch=1, n_uniform=0)
    windows = plan_epoch(histories, history_length=20, batch_tokens=64, rng=np.random.default_rng(0))
    for chosen in windows:
        whole = build_batch(histories, chosen, use_time=True)
        draw = sampled.draw(whole, rng=np.random.default_rng(0))
        inside = whole.target_idx >= 0
        wanted = {*whole.item_idx[inside].tolist(), *whole.target_idx[inside].tolist()}
        assert set(draw.distinct.tolist()) == wanted


def test_without_a_queue_there_is_nothing_to_carry(objective):
    assert objective().state() == {}


def test_views_need_something_that_makes_them(objective):
    with pytest.raises(ConfigError, match="must have operators"):
        objective(contrast=ContrastTerms(view_weight=1.0))
