import numpy as np
import pytest

from recsys.objectives.same_target import SameTarget, SameTargetSettings
from recsys.objectives.workers import Workers
from tests import oracles
from tests.objectives.parts import part_of, targets_of, without


def test_the_contrast_is_the_sum_over_anchors_with_the_same_target(model, batch, objective):
    draw = objective(same_target_weight=1.0).draw(batch, rng=np.random.default_rng(0))
    users, targets = targets_of(model, batch)
    owners = batch.user_idx.repeat_interleave(batch.length)
    anchors = draw.terms["same_target"]
    chosen = anchors.number[batch.target_idx >= 0] >= 0
    scale = model.scale.item()
    wanted = oracles.supervised_contrastive_loss(users[chosen], targets[chosen], owners[chosen], scale=scale)
    loss = SameTarget(SameTargetSettings(same_target_weight=1.0)).loss(part_of(model, batch, draw), anchors)
    assert 0 < loss.item() == pytest.approx(wanted, rel=1e-4)


def test_the_weight_of_the_contrast_is_its_share_of_the_loss(model, batch, objective):
    plain = objective().draw(batch, rng=np.random.default_rng(0))
    alone = objective().loss(model, batch, plain, workers=Workers()).item()
    weighted = objective(same_target_weight=0.5)
    draw = weighted.draw(batch, rng=np.random.default_rng(0))
    contrast = weighted.terms["same_target"].loss(part_of(model, batch, draw), draw.terms["same_target"]).item()
    assert weighted.loss(model, batch, draw, workers=Workers()).item() == pytest.approx(alone + 0.5 * contrast, rel=1e-4)


def test_anchors_are_targets_each_chosen_once_and_no_more_than_the_most(batch):
    term = SameTarget(SameTargetSettings(same_target_weight=1.0), most_anchors=9)
    drawn = term.draw(batch, rng=np.random.default_rng(0))
    chosen = drawn.number[drawn.number >= 0]
    assert sorted(chosen.tolist()) == list(range(9))
    assert drawn.n_anchors == 9
    assert (batch.target_idx[drawn.number >= 0] >= 0).all()


def test_the_contrast_pulls_at_no_temperature(model, batch, objective):
    weighted = objective(same_target_weight=1.0)
    draw = weighted.draw(batch, rng=np.random.default_rng(0))
    gradients = []
    for choice in (objective(), weighted):
        model.zero_grad()
        choice.loss(model, batch, draw if choice is weighted else without(draw, "same_target"), workers=Workers()).backward()
        gradients.append(model.log_scale.grad.item())
    assert gradients[0] == pytest.approx(gradients[1], rel=1e-5)
