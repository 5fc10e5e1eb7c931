import pytest
import torch

from recsys.training.averaging import WeightAverage, start_average


def _set(model, value):
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(value)


@pytest.fixture
def model():
    model = torch.nn.Linear(2, 2)
    _set(model, 0.0)
    return model


def test_the_average_is_the_recurrence_written_out(model):
    average, wanted = WeightAverage(model, decay=0.5), 0.0
    for n, value in enumerate((1.0, 4.0, 2.0, 8.0, 3.0, 9.0, 5.0, 7.0, 6.0, 2.0), start=1):
        _set(model, value)
        average.follow(model)
        decay = min(0.5, (1 + n) / (10 + n))
        wanted = decay * wanted + (1 - decay) * value
        assert average.average["weight"][0, 0].item() == pytest.approx(wanted, rel=1e-5)


def test_in_place_the_model_has_the_average_and_afterwards_its_own_weights(model):
    average = WeightAverage(model, decay=0.9)
    _set(model, 10.0)
    with average.in_place(model):
        assert model.weight.abs().sum() == 0
    assert (model.weight == 10).all()
    assert average.average["weight"].abs().sum() == 0


def test_the_models_own_weights_come_back_after_an_error(model):
    average = WeightAverage(model, decay=0.9)
    _set(model, 10.0)
    with pytest.raises(ValueError, match="on the way"), average.in_place(model):
        raise ValueError("on the way")
    assert (model.weight == 10).all()


def test_what_is_left_out_is_not_averaged(model):
    average = WeightAverage(model, decay=0.9, leave_out=frozenset({"bias"}))
    _set(model, 10.0)
    with average.in_place(model):
        assert (model.bias == 10).all()
        assert (model.weight == 0).all()


def test_a_restored_average_goes_on_as_the_first_would(model):
    first, second = (WeightAverage(model, decay=0.9) for _ in range(2))
    for value in (1.0, 2.0, 3.0):
        _set(model, value)
        first.follow(model)
    second.restore({name: tensor.clone() for name, tensor in first.average.items()}, n_steps=3)
    _set(model, 4.0)
    first.follow(model)
    second.follow(model)
    assert torch.equal(first.average["weight"], second.average["weight"])


def test_no_decay_is_no_average_and_a_table_updated_row_by_row_is_left_out(build_towers):
    model = build_towers(n_items=3)
    assert start_average(model, decay=0.0, row_by_row=False) is None
    left_out = set(start_average(model, decay=0.9, row_by_row=False).average) - set(
        start_average(model, decay=0.9, row_by_row=True).average
    )
    assert left_out == {"item_tower.ids.weight"}
