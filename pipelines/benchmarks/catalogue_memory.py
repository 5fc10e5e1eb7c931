"""catalogue-memory: the peak memory of training with ten million items in 64 dimensions."""

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipelines.benchmarks.bar import Result, Workspace, within
from pipelines.benchmarks.child import run_process
from recsys.core.files import read_json
from recsys.training.settings import training_settings

NAME = "catalogue-memory"
LIMIT_GB = 16.0
SETTINGS: dict[str, Any] = {"dim": 64, "n_epochs": 2, "n_uniform": 4096, "n_in_batch": 4096, "validation_users": 64}
LOG: dict[str, Any] = {"n_items": 10_000_000, "n_users": 20_000, "n_events": 20}


def measure(workspace: Workspace) -> Iterator[Result]:
    """Two epochs with validation over all items, in a process of its own."""
    settings = training_settings(SETTINGS).as_table()
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        command = [sys.executable, "-m", "pipelines.benchmarks.ours.catalogue", json.dumps(LOG | {"settings": settings})]
        peak = run_process([*command, str(result)], log=workspace.log(NAME)) / 1e9
        found = read_json(result)
    yield within(
        LIMIT_GB,
        name=NAME,
        what=f"peak resident memory of training with {LOG['n_items']:,} items in 64 dimensions, {LOG['n_users']:,} users of "
        f"{LOG['n_events']} events, sampled softmax, two epochs, each with validation over all items; "
        f"{found['targets_per_second']:,.0f} targets/s, loss {found['first_loss']:.3f} to {found['last_loss']:.3f}",
        unit="GB",
        ours=peak,
    )
