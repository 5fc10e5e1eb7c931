import numpy as np
import torch

from recsys.augmentation.compose import AugmentationSettings, Augmenter
from recsys.augmentation.sequences import MASKED
from recsys.objectives.view_pairs import draw_view_pairs, items_of
from recsys.sampling.batches import request_batches


def _batch(world):
    ((_, batch),) = request_batches(
        world.histories, np.arange(12), history_length=20, batch_tokens=10**6, use_time=True, held_out="validation"
    )
    return batch


def test_both_views_are_of_the_same_users_and_the_same_state_draws_the_same(world):
    augmenter = Augmenter(AugmentationSettings(operators=("crop", "mask")), similar=None, most=20)
    batch = _batch(world)
    one, again, other = (draw_view_pairs(augmenter, batch, rng=np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert torch.equal(one.owner, batch.user_idx.repeat(2))
    assert torch.equal(one.first.item_idx, again.first.item_idx)
    assert not (one.first.item_idx.shape == one.second.item_idx.shape and torch.equal(one.first.item_idx, one.second.item_idx))
    assert one.first.length.tolist() != other.first.length.tolist() or not torch.equal(one.first.item_idx, other.first.item_idx)


def test_hidden_items_and_padding_are_no_items(world):
    augmenter = Augmenter(AugmentationSettings(operators=("mask",), mask_share=0.5), similar=None, most=20)
    view = draw_view_pairs(augmenter, _batch(world), rng=np.random.default_rng(0)).first
    assert (view.item_idx == MASKED).any()
    inside = torch.arange(view.item_idx.shape[1]) < view.length[:, None]
    assert len(items_of(view)) == int((inside & (view.item_idx != MASKED)).sum())
