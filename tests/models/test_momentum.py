import pytest
import torch

from recsys.models.momentum import MomentumTowers


@pytest.fixture
def model(build_towers):
    return build_towers(n_items=9, dropout=0.5, dim=8)


def _move(model):
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1.0)


def test_each_step_keeps_a_share_of_the_copy(model):
    momentum = MomentumTowers(model, momentum=0.75, shares_ids=False)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    _move(model)
    momentum.follow(model)
    momentum.follow(model)
    for name, parameter in momentum.towers.named_parameters():
        torch.testing.assert_close(parameter, before[name] + 1 - 0.75**2)


def test_without_momentum_the_copy_is_the_model_and_drops_nothing_out(model):
    momentum = MomentumTowers(model, momentum=0.0, shares_ids=False)
    _move(model)
    momentum.follow(model)
    model.train()
    assert not any(module.training for module in momentum.towers.modules())
    for name, parameter in momentum.towers.named_parameters():
        torch.testing.assert_close(parameter, model.get_parameter(name))
        assert not parameter.requires_grad


def test_a_shared_table_is_the_model_s_own_and_still_trained(model):
    momentum = MomentumTowers(model, momentum=0.9, shares_ids=True)
    assert momentum.towers.item_tower.ids.weight is model.item_tower.ids.weight
    assert model.item_tower.ids.weight.requires_grad
    assert momentum.towers.log_scale is not model.log_scale
    assert "item_tower.ids.weight" not in momentum.state()


def test_features_are_not_held_twice(build_towers):
    from recsys.models.item_tower import Features

    features = Features(categories=torch.tensor([[1], [2]]), numbers=torch.zeros(2, 0), text=torch.zeros(2, 0), n_categories=2)
    model = build_towers(n_items=2, item_features=features)
    momentum = MomentumTowers(model, momentum=0.9, shares_ids=False)
    assert momentum.towers.item_tower.features.categories is model.item_tower.features.categories


def test_a_state_restores_the_copy(model, build_towers):
    momentum = MomentumTowers(model, momentum=0.5, shares_ids=False)
    _move(model)
    momentum.follow(model)
    other = MomentumTowers(build_towers(n_items=9, dim=8, seed=5), momentum=0.5, shares_ids=False)
    other.restore(momentum.state())
    for name, parameter in momentum.towers.named_parameters():
        assert torch.equal(other.towers.get_parameter(name), parameter)
