import json
from pathlib import Path

import polars as pl
import pytest
import torch

from pipelines.stages.stage import StageRun
from pipelines.stages.training import fit, write_towers
from recsys.models.checkpoint import read_tensors
from recsys.models.two_tower import read_spec
from recsys.training.build import build_trainer, read_training_data
from recsys.training.loop import Trainer
from recsys.training.settings import training_settings


def _build(run: Path, folder: Path | None, **settings: object) -> Trainer:
    own = training_settings({"dim": 16, "device": "cpu"} | settings)
    return build_trainer(own, read_training_data(run / "pairs"), device=torch.device("cpu"), checkpoint=folder)


def test_the_towers_and_each_epoch_are_written(finished: Path, tmp_path: Path) -> None:
    trainer = _build(finished, tmp_path / "checkpoint", n_epochs=2, batch_tokens=512)
    list(trainer.fit())
    write_towers(tmp_path, trainer)
    assert read_spec(json.loads((tmp_path / "spec.json").read_text())) == trainer.model.spec
    weights = read_tensors(tmp_path / "model.safetensors")
    assert all(torch.equal(weights[name], tensor) for name, tensor in trainer.model.state_dict().items())
    epochs = pl.read_parquet(tmp_path / "epochs.parquet")
    assert epochs["loss"].to_list() == [record.loss for record in trainer.records]


def test_each_epoch_is_told_and_a_checkpoint_of_another_run_too(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = StageRun(name="train", run=finished, settings=training_settings(), folder=tmp_path)
    for dropout in (0.1, 0.2):
        records = fit(stage, _build(finished, tmp_path, n_epochs=2, batch_tokens=512, dropout=dropout), n_epochs=2)
    told = capsys.readouterr().err
    assert told.count("full softmax, on cpu") == 2
    assert f"epoch   2  loss {records[-1].loss:.4f}  validation NDCG@10 {records[-1].validation_ndcg:.4f}" in told
    assert "is of other settings" in told
