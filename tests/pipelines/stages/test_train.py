import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from safetensors.numpy import load_file

from recsys.core.files import sha256_of
from tests.finished_run import change_settings


def test_the_best_epoch_is_kept_and_every_epoch_is_told(finished: Path, manifest_of: Callable[[str], dict]) -> None:
    epochs, facts = pl.read_parquet(finished / "train" / "epochs.parquet"), manifest_of("train")["facts"]
    assert epochs["epoch"].to_list() == [1, 2, 3]
    assert facts["best_epoch"] == epochs.sort("validation_ndcg")["epoch"][-1]
    assert facts["best_validation_ndcg"] == epochs["validation_ndcg"].max()
    assert epochs["loss"][-1] < epochs["loss"][0]


def test_the_spec_rebuilds_the_shape(finished: Path) -> None:
    spec = json.loads((finished / "train" / "spec.json").read_text())
    weights = load_file(finished / "train" / "model.safetensors")
    assert weights["item_tower.ids.weight"].shape == (spec["n_items"], spec["model"]["dim"])


def test_the_same_seed_gives_the_same_bytes(copy_of: Path, finished: Path, run_stage: Callable[[str, Path], None]) -> None:
    run_stage("train", copy_of)
    for name in ("model.safetensors", "epochs.parquet", "spec.json"):
        assert sha256_of(copy_of / "train" / name) == sha256_of(finished / "train" / name)


def test_a_device_that_is_not_there_is_told(
    copy_of: Path, run_stage: Callable[[str, Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    change_settings(copy_of, "train", device="cuda")
    with pytest.raises(SystemExit) as caught:
        run_stage("train", copy_of)
    assert caught.value.code == 2
    assert "CUDA must be available" in capsys.readouterr().err


def test_lists_longer_than_the_catalogue_are_refused_before_training(
    copy_of: Path, run_stage: Callable[[str, Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    change_settings(copy_of, "retrieve", k=10_000)
    with pytest.raises(SystemExit) as caught:
        run_stage("train", copy_of)
    assert caught.value.code == 2
    assert "retrieve: k must be at most the catalogue" in capsys.readouterr().err


def test_two_processes_train_one_model(copy_of: Path, finished: Path) -> None:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--local-addr", "127.0.0.1"]
    command += ["--nproc-per-node", "2", "-m", "pipelines.stages.train", str(copy_of)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"}, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    manifest = json.loads((copy_of / "train" / "manifest.json").read_text())
    assert manifest["facts"]["n_workers"] == 2
    alone = pl.read_parquet(finished / "train" / "epochs.parquet")
    together = pl.read_parquet(copy_of / "train" / "epochs.parquet")
    assert together["n_targets"].to_list() == alone["n_targets"].to_list()
    assert together["loss"][-1] == pytest.approx(alone["loss"][-1], rel=0.05)


def test_without_validation_all_epochs_are_trained_and_the_last_is_kept(unvalidated: Path) -> None:
    epochs = pl.read_parquet(unvalidated / "train" / "epochs.parquet")
    facts = json.loads((unvalidated / "train" / "manifest.json").read_text())["facts"]
    assert epochs["epoch"].to_list() == [1, 2, 3]
    assert epochs["validation_ndcg"].to_list() == [None] * 3
    assert epochs.schema["validation_ndcg"] == pl.Float64
    assert (facts["best_epoch"], facts["best_validation_ndcg"], facts["n_validation_users"]) == (3, None, 0)
    last = load_file(unvalidated / "train" / "checkpoint" / "epoch-0003" / "model.safetensors")
    kept = load_file(unvalidated / "train" / "model.safetensors")
    assert all((kept[name] == last[name]).all() for name in kept if not name.startswith(("text_tower.", "content_tower.")))


def test_the_text_tower_is_aligned_with_the_kept_items_and_says_how_well(
    finished: Path, manifest_of: Callable[[str], dict]
) -> None:
    facts = manifest_of("train")["facts"]
    told = facts["text_recall"]
    columns = ["whole text", *manifest_of("pairs")["facts"]["search_columns"][1:]]
    assert len(columns) > 1
    assert set(told["recall@10"]) == set(told["recall@100"]) == set(columns)
    assert facts["n_text_items"] == manifest_of("pairs")["facts"]["n_items"]
    assert all(told["recall@10"][name] <= told["recall@100"][name] <= 1 for name in columns)
