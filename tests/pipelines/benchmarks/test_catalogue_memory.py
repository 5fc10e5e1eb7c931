from pathlib import Path

import pytest

from pipelines.benchmarks import catalogue_memory
from pipelines.benchmarks.bar import Workspace
from recsys.core.files import write_json


@pytest.mark.parametrize(("peak", "holds"), [(12e9, True), (17e9, False)])
def test_the_peak_of_the_process_is_held_against_the_limit(
    nowhere: Workspace, monkeypatch: pytest.MonkeyPatch, peak: float, holds: bool
) -> None:
    def run_process(command: list[str], *, log: Path) -> float:
        write_json(Path(command[-1]), {"targets_per_second": 1234.5, "first_loss": 9.0, "last_loss": 8.0})
        return peak

    monkeypatch.setattr(catalogue_memory, "run_process", run_process)
    (result,) = catalogue_memory.measure(nowhere)
    assert (result.ours, result.holds) == (peak / 1e9, holds)
    assert "10,000,000 items" in result.what
    assert "1,234 targets/s" in result.what
