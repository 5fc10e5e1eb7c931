from collections.abc import Sequence
from pathlib import Path

import pytest

from pipelines.benchmarks import train_memory
from pipelines.benchmarks.bar import Workspace
from recsys.core.files import read_json

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("peak", "holds"), [(1_900_000_000, True), (2_100_000_000, False)])
def test_one_epoch_of_the_stage_stays_under_two_gigabytes(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, peak: int, holds: bool
) -> None:
    run_process, facts = train_memory.run_process, {}

    def note(command: Sequence[str], *, log: Path) -> int:
        run_process(command, log=log)
        stage, run = command[-2].removeprefix("pipelines.stages."), Path(command[-1])
        facts[stage] = read_json(run / stage / "manifest.json")["facts"]
        return peak if stage == "train" else 10 * peak

    monkeypatch.setattr(train_memory, "run_process", note)
    (result,) = train_memory.measure(workspace)
    assert (facts["train"]["n_epochs"], facts["train"]["n_validation_users"]) == (1, 60)
    assert (result.bar, result.holds, result.unit, result.peer) == ("ours <= 2", holds, "GB", 2.0)
