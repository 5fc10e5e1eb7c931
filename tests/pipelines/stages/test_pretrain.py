"""Pre-training: off by default, label-free, and where training starts when it is on."""

import json
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import torch
from safetensors.torch import load_file

from recsys.core.files import sha256_of
from recsys.training.build import build_trainer, read_training_data
from recsys.training.settings import training_settings
from tests.finished_run import PROFILE, change_settings, lay_out_text, run_stage_in

pytestmark = pytest.mark.slow

ON = PROFILE.replace(
    "[train]",
    "[pretrain]\nn_epochs = 2\nbatch_tokens = 512\nqueue_size = 64\nitem_view_weight = 0.5\nwarmup_steps = 5\n[train]",
)


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = lay_out_text(ON, tmp_path_factory.mktemp("pretrained"))
    for stage in ("ingest", "split", "pairs", "pretrain", "train"):
        run_stage_in(stage, run)
    return run


def _facts(run: Path, stage: str) -> dict:
    return json.loads((run / stage / "manifest.json").read_text())["facts"]


def test_without_epochs_it_does_nothing_and_training_starts_at_random_weights(finished: Path) -> None:
    assert not _facts(finished, "pretrain")["is_on"]
    assert [path.name for path in (finished / "pretrain").iterdir()] == ["manifest.json"]
    assert not _facts(finished, "train")["starts_from_pretrained"]


def test_all_epochs_are_trained_without_validation_and_the_loss_falls(pretrained: Path) -> None:
    facts, epochs = _facts(pretrained, "pretrain"), pl.read_parquet(pretrained / "pretrain" / "epochs.parquet")
    assert epochs["epoch"].to_list() == [1, 2] and epochs["validation_ndcg"].to_list() == [None, None]
    assert facts["is_on"] and facts["last_loss"] < facts["first_loss"]
    assert facts["loss"] == "view contrast + 0.5 × item view contrast, a queue of 64 keys"


def test_both_stages_say_what_has_no_effect(
    copy_of: Path, run_stage: Callable[[str, Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    change_settings(copy_of, "pretrain", n_epochs=1, operators=["crop"], mask_share=0.5)
    change_settings(copy_of, "train", n_epochs=1, n_hard=5, view_scale=5.0)
    for stage, idle in (("pretrain", "mask_share"), ("train", "n_hard, view_scale")):
        run_stage(stage, copy_of)
        said = " ".join(capsys.readouterr().err.split())
        assert f"without effect beside the other settings of [{stage}]: {idle}" in said


def test_training_starts_from_its_weights(pretrained: Path, tmp_path: Path) -> None:
    assert _facts(pretrained, "train")["starts_from_pretrained"]
    settings = training_settings(json.loads((pretrained / "config" / "train.json").read_text())["settings"])
    weights, data = load_file(pretrained / "pretrain" / "model.safetensors"), read_training_data(pretrained / "pairs")
    given = {"device": torch.device("cpu"), "checkpoint": tmp_path}
    trainer, scratch = (build_trainer(settings, data, **given, start=start) for start in (weights, None))
    own = trainer.model.state_dict()
    assert set(weights) - set(own) == {"view_head.hidden.weight", "view_head.hidden.bias", "view_head.out.weight"}
    assert all(torch.equal(own[name], weights[name]) for name in own)
    assert trainer.fingerprint != scratch.fingerprint


def test_labels_play_no_part(pretrained: Path, tmp_path: Path) -> None:
    """Held-out events and the order of targets aside, the same inputs give the same weights."""
    run = lay_out_text(ON.replace("[pairs]", '[pairs]\nrequest_time = "unknown"'), tmp_path)
    for stage in ("ingest", "split", "pairs", "pretrain"):
        run_stage_in(stage, run)
    first, second = (load_file(folder / "pretrain" / "model.safetensors") for folder in (pretrained, run))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_changed_learning_rate_of_train_does_not_pre_train_again(new_run: Callable[..., Path]) -> None:
    before = (new_run(ON) / "config" / "pretrain.json").read_text()
    assert (
        new_run(ON.replace("learning_rate = 0.004", "learning_rate = 0.01")) / "config" / "pretrain.json"
    ).read_text() == before
    assert (new_run(ON.replace("dim = 16", "dim = 32")) / "config" / "pretrain.json").read_text() != before


def test_a_full_disk_is_told_and_a_killed_run_goes_on(pretrained: Path, tmp_path: Path) -> None:
    run = tmp_path / "artifacts" / pretrained.name
    shutil.copytree(pretrained, run, ignore=shutil.ignore_patterns(".owner*"))
    before = sha256_of(run / "pretrain" / "manifest.json")
    command = [sys.executable, "-m", "pipelines.stages.pretrain", str(run)]
    done = subprocess.run(
        command, capture_output=True, text=True, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048))
    )
    assert (done.returncode, "the disk must have room" in done.stderr.splitlines()[-1]) == (2, True)
    assert sha256_of(run / "pretrain" / "manifest.json") == before
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as working:
        while not list((run / ".pretrain.partial").glob("checkpoint/epoch-*")):
            assert working.poll() is None
            time.sleep(0.01)
        working.kill()
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 and "from the checkpoint" in done.stderr
    for name in ("model.safetensors", "epochs.parquet"):
        assert sha256_of(run / "pretrain" / name) == sha256_of(pretrained / "pretrain" / name)


def test_texts_that_pre_training_has_seen_are_not_held_out_any_more(tmp_path: Path) -> None:
    run = lay_out_text(ON.replace("queue_size = 64\nitem_view_weight = 0.5", "view_weight = 0.0\ntext_weight = 1.0"), tmp_path)
    for stage in ("ingest", "split", "pairs", "pretrain", "train"):
        run_stage_in(stage, run)
    assert _facts(run, "pretrain")["aligns_texts"] and _facts(run, "pretrain")["loss"] == "text alignment"
    told = _facts(run, "train")["text_recall"]
    assert told == {}, "no recall is claimed"
