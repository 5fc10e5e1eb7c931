"""A small synthetic run up to `pairs`, and both sides of the speed bars replaced by figures."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from pipelines.benchmarks import ranking, rectools_speed, train_recbole, training_speed
from pipelines.benchmarks.bar import Workspace
from tests.finished_run import lay_out_text, run_stage_in

PROFILE = """
name = "ml-1m"
[ingest]
source = "synthetic"
n_users = 60
n_items = 50
n_topics = 4
[train]
dim = 8
batch_tokens = 512
[retrieve]
k = 20
[evaluate]
ks = [10, 20]
"""


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    root = tmp_path_factory.mktemp("benchmarks")
    run = lay_out_text(PROFILE, root)
    for stage in ("ingest", "split", "pairs"):
        run_stage_in(stage, run)
    return Workspace(run=run, folder=root / "artifacts" / "benchmarks")


@pytest.fixture
def nowhere(tmp_path: Path) -> Workspace:
    return Workspace(run=tmp_path / "ml-1m", folder=tmp_path / "benchmarks")


@pytest.fixture
def small() -> dict[str, Any]:
    """A profile that stands for the shipped ones."""
    source = {"source": "synthetic", "n_users": 60, "n_items": 50, "n_topics": 4}
    return {"name": "small", "ingest": source, "train": {"dim": 8}}


@pytest.fixture
def stages_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stages are called, not started as processes."""

    def run_process(command: Sequence[str], *, log: Path) -> int:
        run_stage_in(command[-2].rpartition(".")[2], Path(command[-1]))
        return 0

    monkeypatch.setattr(ranking, "run_process", run_process)


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """Ours trains at 900 targets a second after a slow start, a peer at 100; who was asked for what, in order."""
    asked: list[tuple[str, dict[str, Any]]] = []

    def run_own(module: str, job: dict[str, Any], *, log: Path) -> dict[str, Any]:
        asked.append((module, job))
        return {"epochs": [{"seconds": 99.0, "n_targets": 900}, *[{"seconds": 1.0, "n_targets": 900}] * 2]}

    def run_peer(peer: str, script: str, job: dict[str, Any], *, workspace: Workspace, log: Path) -> dict[str, Any]:
        asked.append((peer, job))
        return {"version": f"{peer} 1.0", "epochs": [{"seconds": 99.0, "n_targets": 200}, {"seconds": 2.0, "n_targets": 200}]}

    monkeypatch.setattr(training_speed, "run_own", run_own)
    for module in (rectools_speed, train_recbole):
        monkeypatch.setattr(module, "run_peer", run_peer)
    return asked


@pytest.fixture
def main_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Path]:
    """Calls the `main` of a module as its command line would, and gives the path of its result."""

    def call(module: Any, job: str) -> Path:
        result = tmp_path / "result.json"
        monkeypatch.setattr("sys.argv", [module.__name__, job, str(result)])
        module.main()
        return result

    return call
