import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

from recsys.core.errors import ConfigError
from recsys.models.item_tower import Features
from recsys.objectives.item_views import draw_item_views, item_view_contrast
from recsys.objectives.workers import Workers
from tests import oracles


@pytest.fixture
def model(build_towers):
    """Items 0 to 8 have two categories and a number each, item 9 has nothing."""
    categories = torch.tensor([[1 + item % 4, 5 + item % 3] for item in range(9)] + [[0, 0]])
    numbers = torch.tensor([[item / 4 + 0.1] for item in range(9)] + [[0.0]])
    features = Features(categories=categories, numbers=numbers, text=torch.zeros(10, 0), n_categories=7)
    return build_towers(n_items=10, item_features=features)


def test_items_with_features_are_drawn_once_each_and_about_half_is_seen(model):
    views = draw_item_views(model, rng=np.random.default_rng(0))
    assert views.item_idx.tolist() == list(range(9))
    assert views.is_kept.shape == (9, 3) and views.keeps_id.shape == (2, 9)
    drawn = [draw_item_views(model, rng=np.random.default_rng(seed), n_items=4) for seed in range(60)]
    assert all(len(set(one.item_idx.tolist())) == 4 for one in drawn)
    assert {item for one in drawn for item in one.item_idx.tolist()} == set(range(9))
    assert 0.4 < torch.stack([one.is_kept for one in drawn]).float().mean() < 0.6


def test_the_loss_is_nt_xent_of_complementary_masks(model):
    views = draw_item_views(model, rng=np.random.default_rng(2))
    tower, (first_id, second_id) = model.item_tower, views.keeps_id
    first = tower.encode_masked(views.item_idx, is_kept=views.is_kept, keeps_id=first_id)
    second = tower.encode_masked(views.item_idx, is_kept=~views.is_kept, keeps_id=second_id)
    vectors = normalize(torch.cat([first, second]).detach().double(), dim=1)
    loss = item_view_contrast(model, views, scale=torch.tensor(4.0), workers=Workers())
    assert loss.item() == pytest.approx(oracles.nt_xent_loss(vectors, views.item_idx.tolist() * 2, scale=4.0), rel=1e-4)


def test_training_on_it_makes_features_of_one_item_find_each_other(model):
    optimizer, rng = torch.optim.Adam(model.parameters(), lr=0.02), np.random.default_rng(0)
    losses = []
    for _ in range(60):
        optimizer.zero_grad()
        loss = item_view_contrast(model, draw_item_views(model, rng=rng), scale=torch.tensor(10.0), workers=Workers())
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert np.mean(losses[-10:]) < 0.7 * np.mean(losses[:10])


def test_items_without_features_have_no_views(build_towers):
    with pytest.raises(ConfigError, match="item_view_weight must be 0"):
        draw_item_views(build_towers(n_items=3), rng=np.random.default_rng(0))
