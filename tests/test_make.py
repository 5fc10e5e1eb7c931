"""The whole graph from `make`, on the synthetic world: once undisturbed, once killed in every stage."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.graph import NAMES as STAGES

ROOT = Path(__file__).parent.parent
PROFILE = """
name = "tiny"
[ingest]
source = "synthetic"
n_users = 120
n_items = 100
n_topics = 5
[pairs]
text_dim = 4
[train]
dim = 16
n_epochs = 4
batch_tokens = 256
warmup_steps = 10
threads = 1
[evaluate]
n_resamples = 50
"""
Make = Callable[..., subprocess.Popen[str]]

pytestmark = [pytest.mark.slow, pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")]


@pytest.fixture(scope="module")
def venv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that is this one, so that make installs nothing."""
    folder = tmp_path_factory.mktemp("venv")
    (folder / "bin").mkdir()
    python = folder / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    for name in ("core.mk", "tune.mk"):
        (folder / name).touch()
    return folder


@pytest.fixture(scope="module")
def make(venv: Path, tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Starts make in a process group of its own."""
    profile = tmp_path_factory.mktemp("profile") / "own.toml"
    profile.write_text(PROFILE)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "MLFLOW"))}

    def start(root: Path, *arguments: str, config: Path = profile) -> subprocess.Popen[str]:
        command = ["make", "-C", str(ROOT), f"VENV={venv}", f"ROOT={root}", f"CONFIG={config}", *arguments]
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, start_new_session=True
        )

    return start


def finish(process: subprocess.Popen[str]) -> str:
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output[-4000:]
    return output


def artefacts(run: Path) -> dict[str, dict[str, str]]:
    """The hashes of all outputs but of `register`, whose ids are MLflow's, and of the report, which has a date."""
    found = {stage: json.loads((run / stage / "manifest.json").read_text())["outputs"] for stage in STAGES[:-1]}
    del found["evaluate"]["report.html"]
    return found


@pytest.fixture(scope="module")
def undisturbed(make: Make, empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("undisturbed")
    shutil.copy(empty_store, root)
    assert "tiny:" in finish(make(root, "-j2", "run"))
    return root


def test_a_second_run_does_nothing_and_says_so(make: Make, undisturbed: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in undisturbed.rglob("manifest.json")}
    output = finish(make(undisturbed, "run"))
    assert output.count("Nothing to do: every stage of") == 1
    assert {path: path.stat().st_mtime_ns for path in undisturbed.rglob("manifest.json")} == before


def test_a_further_protocol_has_a_run_of_its_own(make: Make, undisturbed: Path, tmp_path: Path) -> None:
    both = tmp_path / "own.toml"
    both.write_text(PROFILE + '[split]\nalso = ["temporal"]\n')
    output = finish(make(undisturbed, "-n", "run", config=both))
    assert f"pipelines.stages.split {undisturbed}/tiny-temporal" in output
    assert f"pipelines.stages.split {undisturbed}/tiny\n" not in output


def test_a_new_learning_rate_trains_again_but_does_not_split_again(make: Make, undisturbed: Path, tmp_path: Path) -> None:
    shutil.copytree(undisturbed, tmp_path / "copy", ignore=shutil.ignore_patterns(".owner*"))
    changed = tmp_path / "own.toml"
    changed.write_text(PROFILE.replace("dim = 16", "dim = 16\nlearning_rate = 0.001"))
    output = finish(make(tmp_path / "copy", "-n", "candidates", config=changed))
    assert "pipelines.stages.train" in output
    assert "pipelines.stages.retrieve" in output
    assert "pipelines.stages.split" not in output
    assert "pipelines.stages.pairs" not in output


def kill_in(stage: str, make: Make, root: Path) -> bool:
    """Run make and kill all of it while one stage is at work; False if the stage was over too soon."""
    run = root / "tiny"
    mark = run / f".{stage}.partial"
    mark = mark / "checkpoint" / "epoch-0002" if stage == "train" else mark
    process = make(root, "run", *([f"LAID={run}"] if (run / "config").is_dir() else []))
    while process.poll() is None and not mark.exists():
        time.sleep(0.001)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    return not (root / "tiny" / stage).exists()


def test_killed_in_every_stage_it_ends_with_the_same_artefacts(
    make: Make, undisturbed: Path, empty_store: Path, tmp_path: Path
) -> None:
    shutil.copy(empty_store, tmp_path)
    for stage in STAGES:
        for _ in range(4):
            if kill_in(stage, make, tmp_path):
                break
            shutil.rmtree(tmp_path / "tiny" / stage)
        assert not (tmp_path / "tiny" / stage).exists(), f"{stage} was never caught at work"
    finish(make(tmp_path, "register"))
    assert artefacts(tmp_path / "tiny") == artefacts(undisturbed / "tiny")
    assert not list((tmp_path / "tiny").glob(".*.partial"))


def test_a_second_make_at_once_refuses(make: Make, tmp_path: Path) -> None:
    first = make(tmp_path, "pairs")
    while first.poll() is None and not (tmp_path / "tiny" / "config").exists():
        time.sleep(0.005)
    second = make(tmp_path, "pairs")
    refusal, _ = second.communicate(timeout=60)
    assert second.returncode == 2
    assert "must be used by one run at a time" in refusal
    assert "pipelines" not in refusal.splitlines()[-2]
    finish(first)


def test_a_wrong_profile_stops_before_any_work(make: Make, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(PROFILE + "[index]\nbackend = 'scann'\n")
    process = make(tmp_path / "artifacts", "run", config=wrong)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "error: " in output
    assert "index.backend must be 'auto', 'exact', 'annoy' or 'faiss', got 'scann'" in output
    assert not (tmp_path / "artifacts").exists()


def test_tune_searches_on_the_pairs_of_a_run(make: Make, undisturbed: Path) -> None:
    output = finish(make(undisturbed, "-n", "tune"))
    assert f"pipelines.experiments.tune {undisturbed}/tiny" in output
    assert "pipelines.stages" not in output, "the pairs are there"


def test_study_pre_trains_first_where_the_profile_asks_for_it(make: Make, undisturbed: Path, tmp_path: Path) -> None:
    studied = tmp_path / "own.toml"
    studied.write_text(PROFILE.replace('name = "tiny"', 'name = "studied"') + "[pretrain]\nn_epochs = 1\n")
    output = finish(make(undisturbed, "-n", "study", config=studied))
    stages = [line.rpartition("pipelines.")[2].split()[0] for line in output.splitlines() if "pipelines." in line]
    assert stages == ["stages.ingest", "stages.split", "stages.pairs", "stages.pretrain", "experiments.study"]


def test_bench_names_what_can_be_measured(make: Make, tmp_path: Path) -> None:
    process = make(tmp_path, "bench", "BENCH=rank-nothing")
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "rank-nothing" in output and "rank-ml-1m" in output
    assert "Traceback" not in output


def test_help_lists_every_target() -> None:
    text = subprocess.run(["make", "-C", str(ROOT), "help"], capture_output=True, text=True, check=True).stdout
    stages = "run data split pairs pretrained model embeddings index candidates baselines report register"
    for target in f"{stages} study tune bench mlflow test check".split():
        assert f"make {target} " in text
    assert "ml-100k" in text
