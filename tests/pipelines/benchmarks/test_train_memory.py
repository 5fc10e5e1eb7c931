from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pipelines.benchmarks import train_memory
from pipelines.benchmarks.bar import Workspace
from recsys.core.files import read_json

pytestmark = pytest.mark.slow


def test_one_epoch_of_the_stage_stays_under_two_gigabytes(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    run_process, facts = train_memory.run_process, dict[str, dict[str, Any]]()

    def note(command: Sequence[str], *, log: Path) -> int:
        run_process(command, log=log)
        stage, run = command[-2].removeprefix("pipelines.stages."), Path(command[-1])
        facts[stage] = read_json(run / stage / "manifest.json")["facts"]
        return 1_900_000_000 if stage == "train" else 10**12

    monkeypatch.setattr(train_memory, "run_process", note)
    (result,) = train_memory.measure(workspace)
    assert (facts["train"]["n_epochs"], facts["train"]["n_validation_users"]) == (1, 60)
    assert (result.bar, result.holds, result.unit, result.peer) == ("ours <= 2", True, "GB", 2.0)
    monkeypatch.setattr(train_memory, "run_process", lambda command, *, log: 2_100_000_000)
    (result,) = train_memory.measure(workspace)
    assert not result.holds
