import json
import shutil
from pathlib import Path

import polars as pl
import pytest
import torch
from pipelines.settings.training_config import TrainSettings
from pipelines.stages.trainer import build_trainer, fit, prepare_device, write_towers

from pipelines.stages.stage import StageRun
from recsys.models.checkpoint import read_tensors
from recsys.models.two_tower import read_spec
from recsys.objectives.workers import Workers
from recsys.training.loop import Trainer


def _build(run: Path, folder: Path, **settings: object) -> Trainer:
    own = {"dim": 16, "device": "cpu"} | settings
    return build_trainer(
        TrainSettings.model_validate(own),
        pairs=run / "pairs",
        checkpoint=folder,
        device=torch.device("cpu"),
        workers=Workers(),
    )


def test_the_seed_fixes_the_first_weights(finished: Path, tmp_path: Path) -> None:
    first, again, other = (_build(finished, tmp_path, seed=seed).model.item_tower.ids.weight for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_a_checkpoint_fits_the_very_same_settings_data_machine_and_code_alone(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fingerprints = [_build(finished, tmp_path, **changes).fingerprint for changes in ({}, {}, {"dropout": 0.4}, {"seed": 3})]
    assert fingerprints[0] == fingerprints[1]
    assert len(set(fingerprints)) == 3
    shutil.copytree(finished / "pairs", tmp_path / "run" / "pairs")
    path = tmp_path / "run" / "pairs" / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["outputs"]["item_idx.npy"] = "other"
    path.write_text(json.dumps(manifest))
    assert _build(tmp_path / "run", tmp_path).fingerprint != fingerprints[0]
    threads = torch.get_num_threads()
    torch.set_num_threads(threads + 1)
    try:
        assert _build(finished, tmp_path).fingerprint != fingerprints[0]
    finally:
        torch.set_num_threads(threads)
    monkeypatch.setattr("pipelines.stages.trainer.hash_packages", lambda *_: "other code")
    assert _build(finished, tmp_path).fingerprint != fingerprints[0]


@pytest.mark.parametrize(("is_known", "asked", "wanted"), [(True, 0.3, 0.3), (False, 0.3, 0.5), (False, 0.8, 0.8)])
def test_where_the_request_time_is_unknown_training_hides_it_at_least_half_of_the_time(
    finished: Path, tmp_path: Path, is_known: bool, asked: float, wanted: float
) -> None:
    shutil.copytree(finished / "pairs", tmp_path / "pairs")
    path = tmp_path / "pairs" / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["facts"]["knows_request_time"] = is_known
    path.write_text(json.dumps(manifest))
    assert _build(tmp_path, tmp_path, request_drop=asked).model.user_tower.request_drop == wanted


def test_threads_and_determinism_are_set_as_asked() -> None:
    before = torch.get_num_threads()
    try:
        assert prepare_device(TrainSettings(device="cpu", threads=2, deterministic=True)) == torch.device("cpu")
        assert torch.get_num_threads() == 2
        assert torch.are_deterministic_algorithms_enabled()
    finally:
        torch.set_num_threads(before)
        torch.use_deterministic_algorithms(False)


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
    stage = StageRun(name="train", run=finished, settings=TrainSettings(), folder=tmp_path)
    for dropout in (0.1, 0.2):
        records = fit(stage, _build(finished, tmp_path, n_epochs=2, batch_tokens=512, dropout=dropout), n_epochs=2)
    told = capsys.readouterr().err
    assert told.count("full softmax, on cpu") == 2
    assert f"epoch   2  loss {records[-1].loss:.4f}  validation NDCG@10 {records[-1].validation_ndcg:.4f}" in told
    assert "is of other settings" in told


def test_views_are_made_only_where_they_are_contrasted(finished: Path, tmp_path: Path) -> None:
    plain, contrasted = (_build(finished, tmp_path, view_weight=weight) for weight in (0.0, 0.2))
    assert plain.objective.augmenter is None and not plain.model.spec.has_view_head
    assert contrasted.objective.augmenter is not None and contrasted.model.spec.has_view_head
