import math

import pytest
import torch

from recsys.models.temperature import limit_log_scales, to_scale
from recsys.models.text_tower import TextTower


@pytest.mark.parametrize(("log_scale", "scale"), [(math.log(20.0), 20.0), (math.log(100.0), 100.0), (9.0, 100.0)])
def test_the_scale_is_at_most_100(log_scale: float, scale: float) -> None:
    assert to_scale(torch.tensor(log_scale)).item() == pytest.approx(scale, rel=1e-5)


def test_a_scale_that_left_the_limit_can_come_back(build_towers) -> None:
    towers = build_towers(n_items=5, search_dim=4)
    assert isinstance(towers.text_tower, TextTower)
    with torch.no_grad():
        towers.log_scale.fill_(9.0)
        towers.text_tower.log_scale.fill_(9.0)
    others = {name: tensor.clone() for name, tensor in towers.named_parameters() if not name.endswith("log_scale")}
    limit_log_scales(towers)
    for log_scale in (towers.log_scale, towers.text_tower.log_scale):
        (slope,) = torch.autograd.grad(to_scale(log_scale), log_scale)
        assert slope.item() == pytest.approx(100.0, rel=1e-4)
    assert all(torch.equal(tensor, others[name]) for name, tensor in towers.named_parameters() if name in others)
