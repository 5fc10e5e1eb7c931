"""Training on redundancy reduction alone, without a single negative, makes views of one user find each other."""

import numpy as np
import pytest
import torch

from recsys.losses.barlow_twins import barlow_twins
from recsys.objectives.encoded_items import encode_items
from recsys.objectives.objective import Objective
from recsys.objectives.view_pairs import project_view
from recsys.objectives.workers import Workers
from recsys.sampling.batches import build_batch, plan_epoch

CPU = torch.device("cpu")


@pytest.fixture
def batch(world):
    windows = plan_epoch(world.histories, history_length=20, batch_tokens=512, rng=np.random.default_rng(0))[0]
    return build_batch(world.histories, windows, use_time=True)


@pytest.fixture
def build(world, build_towers, training_settings):
    def make(**values):
        model = build_towers(n_items=len(world.items), n_users=len(world.users), has_view_head=True)
        settings = training_settings(has_labels=False, barlow_weight=1.0, operators=["crop", "mask"], **values)
        given = {"histories": world.histories, "log_popularity": world.log_popularity, "device": CPU}
        return model, Objective(settings.values, model=model, **given)

    return make


def test_the_term_is_the_loss_of_the_projected_views(build, batch):
    model, objective = build(redundancy_weight=0.2)
    model.eval()
    draw = objective.draw(batch, rng=np.random.default_rng(0))
    items, pair = encode_items(model, None, device=CPU), draw.terms["barlow_twins"]
    first, second = (project_view(model, view, items) for view in (pair.first, pair.second))
    wanted = barlow_twins(first, second, redundancy_weight=0.2)
    assert objective.loss(model, batch, draw, workers=Workers()).item() == pytest.approx(wanted.item(), rel=1e-5)
    assert objective.in_words() == "redundancy reduction of views"


@pytest.mark.slow
def test_without_negatives_it_does_not_collapse(build, batch):
    model, objective = build()
    optimizer, rng, losses = torch.optim.Adam(model.parameters(), lr=3e-3), np.random.default_rng(0), []
    for _ in range(60):
        optimizer.zero_grad()
        loss = objective.loss(model, batch, objective.draw(batch, rng=rng), workers=Workers())
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert np.mean(losses[-10:]) < 0.7 * np.mean(losses[:5])
    pair = objective.draw(batch, rng=rng).terms["barlow_twins"]
    views = project_view(model.eval(), pair.first, encode_items(model, None, device=CPU)).detach()
    assert views.std(0).mean() > 0.05
