import json
import shutil
from pathlib import Path

import pytest
import torch

from recsys.training.build import build_trainer, prepare_machine, read_training_data
from recsys.training.loop import Trainer
from recsys.training.settings import MachineSettings, training_settings


def _build(run: Path, folder: Path | None, **settings: object) -> Trainer:
    own = training_settings({"dim": 16, "device": "cpu"} | settings)
    return build_trainer(own, read_training_data(run / "pairs"), device=torch.device("cpu"), checkpoint=folder)


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
    monkeypatch.setattr("recsys.training.build.hash_code", lambda *_: "other code")
    assert _build(finished, tmp_path).fingerprint != fingerprints[0]


@pytest.mark.parametrize(("is_known", "asked", "wanted"), [(True, 0.3, 0.3), (False, 0.3, 0.5), (False, 0.8, 0.8)])
def test_where_the_request_time_is_unknown_training_hides_it_at_least_half_of_the_time(
    finished: Path, tmp_path: Path, is_known: bool, asked: float, wanted: float
) -> None:
    shutil.copytree(finished / "pairs", tmp_path / "pairs")
    path = tmp_path / "pairs" / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["facts"]["request_time"] = "cut" if is_known else "unknown"
    path.write_text(json.dumps(manifest))
    assert _build(tmp_path, tmp_path, request_drop=asked).model.user_tower.request_drop == wanted


def test_threads_and_determinism_are_set_as_asked() -> None:
    before = torch.get_num_threads()
    try:
        assert prepare_machine(MachineSettings(device="cpu", threads=2, deterministic=True)) == torch.device("cpu")
        assert torch.get_num_threads() == 2
        assert torch.are_deterministic_algorithms_enabled()
    finally:
        torch.set_num_threads(before)
        torch.use_deterministic_algorithms(False)


def test_a_view_head_is_there_only_where_views_are_compared(finished: Path) -> None:
    for weights, has_head in (({}, False), ({"view_weight": 0.2}, True), ({"barlow_weight": 0.2}, True)):
        model = _build(finished, None, **weights).model
        assert (model.view_head is not None) == has_head
