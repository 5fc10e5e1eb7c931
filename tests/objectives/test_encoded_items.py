import torch
from torch.nn.functional import normalize

from recsys.augmentation.sequences import MASKED
from recsys.objectives.encoded_items import encode_items

CPU = torch.device("cpu")


def test_some_items_are_looked_up_as_among_all(build_towers):
    model = build_towers(n_items=9)
    every, some = encode_items(model, None, device=CPU), encode_items(model, torch.tensor([2, 5, 8]), device=CPU)
    history = torch.tensor([[5, 8], [2, MASKED]])
    torch.testing.assert_close(some.history(history), every.history(history))
    torch.testing.assert_close(some.unit(torch.tensor([8, 2])), normalize(every.vectors[[8, 2]], dim=1))
    assert some.unit().shape == (3, 16)


def test_a_hidden_item_brings_nothing_and_gets_no_gradient(build_towers):
    model = build_towers(n_items=4)
    items = encode_items(model, None, device=CPU)
    history = items.history(torch.tensor([[MASKED, 1]]))
    assert not history[0, 0].any() and history[0, 1].any()
    history.sum().backward()
    assert model.item_tower.ids.weight.grad.abs().sum(1).nonzero()[:, 0].tolist() == [1]
