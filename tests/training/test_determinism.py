import os

import pytest
import torch

from recsys.training.determinism import make_deterministic


@pytest.fixture
def restored(monkeypatch):
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    yield
    torch.use_deterministic_algorithms(False)


@pytest.mark.usefixtures("restored")
def test_what_has_no_deterministic_form_stops_from_then_on():
    values = torch.zeros(3)
    torch.empty(3).put_(torch.tensor([0]), torch.tensor([1.0]))
    make_deterministic()
    assert torch.are_deterministic_algorithms_enabled()
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    with pytest.raises(RuntimeError, match="deterministic"):
        values.put_(torch.tensor([0]), torch.tensor([1.0]))


@pytest.mark.usefixtures("restored")
@pytest.mark.parametrize("limit", [10_000, 0], ids=["full", "sampled"])
def test_a_whole_training_has_a_deterministic_form(build_trainer, limit):
    make_deterministic()
    runs = [build_trainer(settings={"n_epochs": 1, "full_softmax_limit": limit, "same_target_weight": 0.1}) for _ in range(2)]
    for trainer in runs:
        list(trainer.fit())
    first, second = (trainer.model.state_dict() for trainer in runs)
    assert all(torch.equal(first[name], second[name]) for name in first)
