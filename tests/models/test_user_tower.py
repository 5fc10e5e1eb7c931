import pytest
import torch

from recsys.models.encoders.mean_pooling import MeanPoolingEncoder
from recsys.models.item_tower import Features
from recsys.models.user_tower import UserTower


@pytest.fixture
def build_tower(no_features):
    def build(*, use_time=True, user_features=None, request_drop=0.0):
        torch.manual_seed(0)
        encoder = MeanPoolingEncoder(8, feedforward_factor=2, dropout=0.0)
        features = user_features or no_features(3)
        return UserTower(encoder, 8, user_features=features, use_time=use_time, request_drop=request_drop, dropout=0.0).eval()

    return build


@pytest.fixture
def groups():
    """3 users in two groups."""
    return Features(
        categories=torch.tensor([[1], [2], [1]]), numbers=torch.zeros((3, 0)), text=torch.zeros((3, 0)), n_categories=2
    )


def _encode(tower, *, gap=None, request_gap=None, user_idx=None):
    history = torch.randn(4, 6, 8, generator=torch.Generator().manual_seed(1))
    unknown = torch.full((4, 6), -1)
    return tower(
        history,
        gap=unknown if gap is None else gap,
        request_gap=unknown if request_gap is None else request_gap,
        user_idx=torch.zeros(4, dtype=torch.int64) if user_idx is None else user_idx,
    )


@pytest.mark.parametrize("name", ["gap", "request_gap"])
def test_a_gap_changes_its_own_position_and_later_ones_only(build_tower, name):
    tower, gap = build_tower(), torch.full((4, 6), -1)
    gap[:, 3] = 86_400
    change = (_encode(tower, **{name: gap}) - _encode(tower)).abs().amax(-1)
    assert change[:, :3].max() < 1e-6
    assert (change[:, 3:] > 1e-6).all()


def test_without_time_gaps_change_nothing(build_tower):
    tower, gap = build_tower(use_time=False), torch.full((4, 6), 60)
    assert torch.equal(_encode(tower, gap=gap, request_gap=gap), _encode(tower))


def test_users_of_one_group_are_encoded_alike_and_others_are_not(build_tower, groups):
    tower = build_tower(user_features=groups)
    first, second, third = (_encode(tower, user_idx=torch.full((4,), user)) for user in range(3))
    assert torch.equal(first, third)
    assert not torch.allclose(first, second)


def test_a_user_without_attributes_is_encoded_as_if_there_were_none(build_tower, groups):
    tower = build_tower(user_features=groups)
    unknown = _encode(tower, user_idx=torch.full((4,), -1))
    tower.features = None
    torch.testing.assert_close(unknown, _encode(tower), rtol=0, atol=0)


def test_the_request_gap_is_hidden_in_training_only(build_tower):
    tower, known = build_tower(request_drop=1.0), torch.full((4, 6), 100)
    assert not torch.allclose(_encode(tower, request_gap=known), _encode(tower))
    tower.train()
    torch.testing.assert_close(_encode(tower, request_gap=known), _encode(tower), rtol=0, atol=0)
