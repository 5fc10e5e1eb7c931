"""`recsys run`: all stages without make; what is up to date is skipped, what was interrupted goes on."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.finished_run import PROFILE

QUICK = PROFILE.replace("n_epochs = 3", "n_epochs = 1")


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    path = tmp_path / "own.toml"
    path.write_text(QUICK)
    return path


def test_a_target_that_is_none_is_refused_with_those_there_are(recsys, profile: Path) -> None:
    code, _, err = recsys("run", str(profile), "--until", "trains")
    assert code == 2 and "--until must be one of data, split, pairs" in err.replace("\n", " ")


@pytest.mark.slow
def test_it_runs_what_is_needed_skips_what_is_done_and_runs_again_what_changed(recsys, profile: Path, tmp_path: Path) -> None:
    def run(until: str) -> list[str]:
        code, out, err = recsys("run", str(profile), "--until", until, "--root", str(tmp_path / "a"), "--json")
        assert code == 0, err
        return json.loads(out)["runs"][0]["stages_run"]

    assert run("pairs") == ["ingest", "split", "pairs"]
    assert run("pairs") == []
    profile.write_text(QUICK.replace("text_dim = 4", "text_dim = 3"))
    assert run("pairs") == ["pairs"]
    (tmp_path / "a" / "tiny" / "split" / "train.parquet").touch()
    assert run("pairs") == []


def test_a_stage_that_fails_ends_the_run_with_its_code(recsys, tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text('name = "x"\n[ingest]\nsource = "files"\ninteractions = "nothing.csv"\n')
    code, _, _ = recsys("run", str(path), "--root", str(tmp_path / "a"))
    assert code == 2
    assert not (tmp_path / "a" / "x" / "ingest").exists()


@pytest.mark.slow
def test_killed_in_the_middle_it_goes_on_and_ends_as_make_does(finished: Path, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(PROFILE)
    command = [sys.executable, "-m", "pipelines.commands.main", "run", "own.toml", "--until", "model"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW")}
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, start_new_session=True)
    mark = tmp_path / "artifacts" / "tiny" / ".train.partial"
    while process.poll() is None and not mark.exists():
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    for stage in ("ingest", "split", "pairs", "pretrain", "train"):
        own, other = (
            json.loads((run / stage / "manifest.json").read_text()) for run in (tmp_path / "artifacts" / "tiny", finished)
        )
        assert own["outputs"] == other["outputs"], stage
