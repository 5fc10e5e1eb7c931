import math

import pytest
import torch

from recsys.training.optimizers import build_optimizers, clip_gradients
from recsys.training.rowwise_adam import RowwiseAdam


def test_decay_is_for_the_matrices_of_layers_alone(build_towers, training_settings):
    model = build_towers(n_items=7)
    (adam,) = build_optimizers(model, training_settings(weight_decay=0.1).loop, row_by_row=False)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    decayed, plain = ({names[id(p)] for p in group["params"]} for group in adam.param_groups)
    assert [group["weight_decay"] for group in adam.param_groups] == [0.1, 0.0]
    assert decayed | plain == set(names.values())
    assert "user_tower.encoder.blocks.0.feedforward_in.weight" in decayed
    assert {"item_tower.ids.weight", "log_scale", "user_tower.encoder.norm.weight"} <= plain
    assert "user_tower.encoder.blocks.0.feedforward_in.bias" in plain


def test_a_large_catalogue_has_its_ids_row_by_row_and_in_no_other_group(build_towers, training_settings):
    model = build_towers(n_items=7)
    adam, rows = build_optimizers(model, training_settings().loop, row_by_row=True)
    assert isinstance(rows, RowwiseAdam)
    assert rows.param_groups[0]["params"] == [model.item_tower.ids.weight]
    assert all(p is not model.item_tower.ids.weight for group in adam.param_groups for p in group["params"])
    model.item_tower(torch.tensor([1, 1])).sum().backward()
    assert model.item_tower.ids.weight.grad.is_sparse


def test_a_fixed_temperature_is_in_no_group(build_towers, training_settings):
    model = build_towers(n_items=7, learn_scale=False)
    (adam,) = build_optimizers(model, training_settings().loop, row_by_row=False)
    assert all(p is not model.log_scale for group in adam.param_groups for p in group["params"])


def test_a_step_leaves_the_temperature_within_its_limit(build_towers, training_settings):
    model = build_towers(n_items=7, initial_scale=100.0)
    (adam,) = build_optimizers(model, training_settings().loop, row_by_row=False)
    model.log_scale.grad = torch.tensor(-1.0)
    adam.step()
    assert model.log_scale.item() == pytest.approx(math.log(100.0))
    model.log_scale.grad = torch.tensor(1.0)
    adam.step()
    assert model.log_scale.item() < math.log(100.0)


@pytest.mark.parametrize("size", [0.1, 10.0])
def test_gradients_are_clipped_together_sparse_or_not(size):
    dense, table = torch.nn.Linear(2, 2, bias=False), torch.nn.Embedding(4, 2, sparse=True)
    model = torch.nn.ModuleList([dense, table])
    dense.weight.grad = torch.full((2, 2), size)
    table.weight.grad = torch.sparse_coo_tensor([[1, 1]], torch.full((2, 2), size), (4, 2), check_invariants=True)
    plain = [dense.weight.grad.clone(), table.weight.grad.to_dense()]
    clip_gradients(model, norm=1.0)
    found = [dense.weight.grad, table.weight.grad.to_dense()]
    total = torch.cat([value.flatten() for value in plain]).norm()
    for before, after in zip(plain, found, strict=True):
        torch.testing.assert_close(after, before * min(1.0, float(1 / total)), rtol=1e-4, atol=1e-6)


def test_a_model_without_gradients_has_a_norm_of_0_and_stays_as_it_is():
    model = torch.nn.Linear(2, 2)
    assert clip_gradients(model, norm=1.0) == 0.0
    assert all(parameter.grad is None for parameter in model.parameters())
