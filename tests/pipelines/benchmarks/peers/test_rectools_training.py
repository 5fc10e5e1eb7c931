"""RecTools is not installed here: it is replaced by a model that trains on two batches an epoch."""

import json
import sys
from types import ModuleType

import pytest
import torch

from pipelines.benchmarks.peers import rectools_training

BATCHES = [{"y": torch.tensor([[0, 0, 3], [1, 2, 3]])}, {"y": torch.tensor([[0, 9, 9]])}]


class FakeModel:
    def __init__(self, *, get_trainer_func, recommend_torch_device, **settings) -> None:
        self.clock, self.settings = get_trainer_func(), settings

    def fit_partial(self, dataset, *, min_epochs: int, max_epochs: int) -> None:
        assert min_epochs == max_epochs == 1
        self.clock.on_train_epoch_start(None, None)
        for number, batch in enumerate(BATCHES):
            self.clock.on_train_batch_start(None, None, batch, number)
        self.clock.on_train_epoch_end(None, None)


@pytest.fixture(autouse=True)
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    lightning, models = ModuleType("pytorch_lightning"), ModuleType("rectools.models")
    lightning.Callback, lightning.seed_everything = object, lambda seed: None
    lightning.Trainer = lambda *, callbacks, **_: callbacks[0]
    models.SASRecModel, models.HSTUModel = FakeModel, None
    for name, module in {"pytorch_lightning": lightning, "rectools": ModuleType("rectools"), "rectools.models": models}.items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(rectools_training, "_read", lambda *paths: None)
    hit_rates = iter([0.1, 0.2, 0.3, 0.4])
    monkeypatch.setattr(rectools_training, "_hit_rate", lambda model, job: next(hit_rates))


@pytest.fixture
def job() -> dict:
    return {"train": "", "model": "SASRecModel", "settings": {"n_factors": 8}, "n_epochs": 4}


def test_padding_is_no_target() -> None:
    assert [rectools_training.count_targets(batch["y"]) for batch in BATCHES] == [4, 2]


def test_each_epoch_counts_the_targets_of_its_batches(job: dict, monkeypatch: pytest.MonkeyPatch, main_of) -> None:
    monkeypatch.setattr(rectools_training, "version", lambda name: "9.9")
    found = json.loads(main_of(rectools_training, json.dumps(job)).read_text())
    assert [epoch["n_targets"] for epoch in found["epochs"]] == [6] * 4
    assert all(0 <= epoch["seconds"] < 10 for epoch in found["epochs"])
    assert found["version"] == "RecTools 9.9"


def test_training_stops_once_it_is_good_enough(job: dict) -> None:
    epochs = rectools_training.train(job | {"test": "", "validation": "", "stop_at": 0.3})
    assert [epoch["hr"] for epoch in epochs] == [0.1, 0.2, 0.3]


def test_training_stops_when_its_time_is_over(job: dict) -> None:
    epochs = rectools_training.train(job | {"test": "", "validation": "", "stop_at": 0.9, "limit_seconds": 1e-9})
    assert len(epochs) == 1
