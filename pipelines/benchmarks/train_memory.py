"""train-memory: the peak memory of training the ml-1m profile."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pipelines.benchmarks.bar import Result, Workspace, within
from pipelines.benchmarks.child import run_process
from recsys.core.files import read_json, write_json

NAME = "train-memory"
LIMIT_GB = 2.0


def measure(workspace: Workspace) -> Iterator[Result]:
    """One epoch of the stage itself, in a run folder of its own that borrows the pairs."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / workspace.run.name
        shutil.copytree(workspace.run / "config", run / "config")
        config = read_json(run / "config" / "train.json")
        write_json(run / "config" / "train.json", config | {"settings": config["settings"] | {"n_epochs": 1}})
        (run / "pairs").symlink_to(workspace.run / "pairs")
        run_process([sys.executable, "-m", "pipelines.stages.pretrain", str(run)], log=workspace.log(f"{NAME}-pretrain"))
        peak = run_process([sys.executable, "-m", "pipelines.stages.train", str(run)], log=workspace.log(NAME)) / 1e9
    yield within(
        LIMIT_GB,
        name=NAME,
        what="peak resident memory of `python -m pipelines.stages.train` on the ml-1m profile, one epoch with its validation",
        unit="GB",
        ours=peak,
    )
