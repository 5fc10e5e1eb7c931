import numpy as np
import pytest
import torch

from recsys.augmentation.compose import Augmenter, Shares
from recsys.objectives.objective import Objective
from recsys.sampling.batches import build_batch, plan_epoch
from recsys.training.settings import ContrastTerms

CPU = torch.device("cpu")


@pytest.fixture
def drawn(world, build_towers, training_settings):
    """A batch with everything drawn that can be."""
    model = build_towers(n_items=len(world.items), has_view_head=True)
    settings = training_settings(
        full_softmax_limit=0, same_target_weight=1.0, contrast=ContrastTerms(view_weight=1.0, queue_size=64)
    )
    augmenter = Augmenter(("crop", "mask"), shares=Shares(), similar=None, most=20)
    objective = Objective(settings, model=model, log_popularity=world.log_popularity, device=CPU, augmenter=augmenter)
    windows = plan_epoch(world.histories, history_length=20, batch_tokens=256, rng=np.random.default_rng(0))[0]
    batch = build_batch(world.histories, windows, use_time=True)
    return batch, objective.draw(batch, rng=np.random.default_rng(1))


def test_rows_have_their_own_anchors_and_views_and_share_the_rest(drawn):
    batch, draw = drawn
    part = draw.rows(slice(1, 3), CPU)
    assert (part.n_rows, part.n_targets, part.n_anchors) == (len(batch.length), draw.n_targets, draw.n_anchors)
    assert torch.equal(part.anchor, draw.anchor[1:3])
    for own, whole in zip(part.views, draw.views, strict=True):
        assert torch.equal(own.item_idx, whole.item_idx[1:3]) and torch.equal(own.user_idx, batch.user_idx[1:3])
    for name in ("negative_idx", "queued_idx", "distinct"):
        assert torch.equal(getattr(part, name), getattr(draw, name))


def test_all_items_of_the_step_are_among_the_distinct_ones(drawn):
    batch, draw = drawn
    shown = [view.item_idx[view.item_idx >= 0] for view in draw.views]
    inside = torch.arange(batch.item_idx.shape[1]) < batch.length[:, None]
    used = torch.cat([batch.item_idx[inside], batch.target_idx[batch.target_idx >= 0], draw.negative_idx])
    assert set(used.tolist()) <= set(draw.distinct.tolist())
    assert set(torch.cat(shown).tolist()) <= {0, *draw.distinct.tolist()}, "0 is the padding"
    assert set(draw.queued_idx.tolist()) <= set(batch.target_idx[batch.target_idx >= 0].tolist())
