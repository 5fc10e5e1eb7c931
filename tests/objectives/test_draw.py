import numpy as np
import pytest
import torch

from recsys.objectives.objective import Objective
from recsys.sampling.batches import build_batch, plan_epoch

CPU = torch.device("cpu")


@pytest.fixture
def drawn(world, build_towers, training_settings):
    """A batch with everything drawn that can be."""
    model = build_towers(n_items=len(world.items), has_view_head=True)
    terms = {"same_target_weight": 1.0, "view_weight": 1.0, "queue_size": 64, "operators": ["crop", "mask"]}
    settings = training_settings(full_softmax_limit=0, **terms)
    given = {"histories": world.histories, "log_popularity": world.log_popularity, "device": CPU}
    objective = Objective(settings.values, model=model, **given)
    windows = plan_epoch(world.histories, history_length=20, batch_tokens=256, rng=np.random.default_rng(0))[0]
    batch = build_batch(world.histories, windows, use_time=True)
    return batch, objective.draw(batch, rng=np.random.default_rng(1))


def test_rows_have_their_own_anchors_and_views_and_share_the_rest(drawn):
    batch, draw = drawn
    part = draw.rows(slice(1, 3), CPU)
    assert (part.n_rows, part.n_targets) == (len(batch.length), draw.n_targets)
    anchors, whole_anchors = part.terms["same_target"], draw.terms["same_target"]
    assert anchors.n_anchors == whole_anchors.n_anchors
    assert torch.equal(anchors.number, whole_anchors.number[1:3])
    for side in ("first", "second"):
        own, whole = getattr(part.terms["views"], side), getattr(draw.terms["views"], side)
        assert torch.equal(own.item_idx, whole.item_idx[1:3]) and torch.equal(own.user_idx, batch.user_idx[1:3])
    assert torch.equal(part.distinct, draw.distinct)
    for name in ("item_idx", "queued_idx"):
        assert torch.equal(getattr(part.terms["next_item"], name), getattr(draw.terms["next_item"], name))


def test_all_items_of_the_step_are_among_the_distinct_ones(drawn):
    batch, draw = drawn
    views, negatives = draw.terms["views"], draw.terms["next_item"]
    shown = [view.item_idx[view.item_idx >= 0] for view in (views.first, views.second)]
    inside = torch.arange(batch.item_idx.shape[1]) < batch.length[:, None]
    used = torch.cat([batch.item_idx[inside], batch.target_idx[batch.target_idx >= 0], negatives.item_idx])
    assert set(used.tolist()) <= set(draw.distinct.tolist())
    assert set(torch.cat(shown).tolist()) <= {0, *draw.distinct.tolist()}, "0 is the padding"
    assert set(negatives.queued_idx.tolist()) <= set(batch.target_idx[batch.target_idx >= 0].tolist())
