"""A small synthetic run up to `pairs`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.benchmarks.bar import Place
from tests.pipelines.conftest import lay_out_text, run_stage_in

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
"""


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    root = tmp_path_factory.mktemp("benchmarks")
    run = lay_out_text(PROFILE, root)
    for stage in ("ingest", "split", "pairs"):
        run_stage_in(stage, run)
    return Place(run=run, folder=root / "artifacts" / "benchmarks")


@pytest.fixture
def nowhere(tmp_path: Path) -> Place:
    return Place(run=tmp_path / "ml-1m", folder=tmp_path / "benchmarks")


@pytest.fixture
def main_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Path]:
    """Calls the `main` of a module as its command line would, and gives the path of its result."""

    def call(module: Any, job: str) -> Path:
        result = tmp_path / "result.json"
        monkeypatch.setattr("sys.argv", [module.__name__, job, str(result)])
        module.main()
        return result

    return call
