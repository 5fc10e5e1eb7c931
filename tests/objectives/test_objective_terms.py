"""Terms beside the next item: their weights, what they leave out, and what they carry from step to step."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from recsys.models.item_tower import Features
from recsys.objectives.objective import Objective
from recsys.objectives.workers import Workers
from recsys.sampling.batches import build_batch, plan_epoch


@pytest.fixture
def batch(world):
    """The first batch of an epoch."""
    windows = plan_epoch(world.histories, history_length=20, batch_tokens=64, rng=np.random.default_rng(0))[0]
    return build_batch(world.histories, windows, use_time=True)


@pytest.fixture
def contrasting(world, build_towers, training_settings):
    """Build an objective with views; keywords change the terms."""
    features = Features(
        categories=torch.arange(len(world.items))[:, None] % 7 + 1,
        numbers=torch.zeros(len(world.items), 0),
        text=torch.rand(len(world.items), 3),
        n_categories=7,
    )
    model = build_towers(
        n_items=len(world.items), n_users=len(world.users), item_features=features, has_view_head=True, search_dim=4
    ).eval()
    texts = np.random.default_rng(0).normal(size=(len(world.items), 2, 4)).astype(np.float32)

    def build(*, limit=10_000, **terms):
        settings = training_settings(full_softmax_limit=limit, operators=["crop", "mask", "reorder"], **terms)
        given = {"histories": world.histories, "log_popularity": world.log_popularity, "device": torch.device("cpu")}
        return model, Objective(settings.values, model=model, texts=texts, **given)

    return build


def _value(contrasting, batch, **terms):
    model, objective = contrasting(**terms)
    return objective.loss(model, batch, objective.draw(batch, rng=np.random.default_rng(0)), workers=Workers()).item()


@pytest.mark.parametrize("limit", [10_000, 0], ids=["full", "sampled"])
def test_terms_add_up_by_their_weights(contrasting, batch, limit):
    weights = {"view_weight": 0.25, "item_view_weight": 2.0, "text_weight": 0.5}
    model, both = contrasting(limit=limit, **weights)
    draw = both.draw(batch, rng=np.random.default_rng(0))

    alone = {}
    for name in ("next_item", "views", "item_views", "texts"):
        _, one = contrasting(limit=limit, **dict.fromkeys(weights, 1.0))
        one.terms = {name: one.terms[name]}
        alone[name] = one.loss(model, batch, draw, workers=Workers()).item()
    assert all(value > 0 for value in alone.values())
    wanted = sum(weight * value for weight, value in zip((1.0, *weights.values()), alone.values(), strict=True))
    assert both.loss(model, batch, draw, workers=Workers()).item() == pytest.approx(wanted, rel=1e-4)


def test_without_labels_no_next_item_is_looked_at(contrasting, batch):
    changed = replace(batch, target_idx=torch.where(batch.target_idx >= 0, 0, -1))
    values = [_value(contrasting, part, has_labels=False, view_weight=1.0) for part in (batch, changed)]
    assert values[0] == values[1]


@pytest.mark.parametrize("limit", [10_000, 0], ids=["full", "sampled"])
def test_a_state_goes_on_as_if_nothing_had_happened(contrasting, batch, limit):
    terms = {"limit": limit, "view_weight": 1.0, "queue_size": 40, "momentum": 0.5}
    model, first = contrasting(**terms)

    def step(objective, seed):
        draw = objective.draw(batch, rng=np.random.default_rng(seed))
        objective.start_step(model)
        loss = objective.loss(model, batch, draw, workers=Workers()).item()
        objective.end_step(draw)
        return loss

    for seed in range(3):
        step(first, seed)
    _, second = contrasting(**terms)
    state = {name: tensor.clone() for name, tensor in first.state().items()}
    assert ("next_item/idx" in state) == (limit == 0)
    fresh = step(contrasting(**terms)[1], 9)
    second.restore(state)
    assert step(second, 9) == step(first, 9) != fresh


def test_the_terms_are_told(contrasting):
    assert contrasting(view_weight=0.1)[1].in_words() == "full softmax + 0.1 × view contrast"
    _, told = contrasting(far_share=0.5, popularity_exponent=1.0)
    wanted = "full softmax, 50% of targets any later event, for lists by chance times popularity to the power 1"
    assert told.in_words() == wanted
    _, told = contrasting(limit=0, has_labels=False, view_weight=1.0, queue_size=4096)
    assert told.in_words() == "view contrast, a queue of 4,096 keys"


def test_a_queue_that_nothing_reads_is_none(contrasting):
    _, plain = contrasting(queue_size=64)
    assert plain.momentum is None and plain.state() == {} and "queue" not in plain.in_words()
    assert set(contrasting(limit=0, queue_size=64)[1].queues) == {"next_item"}
