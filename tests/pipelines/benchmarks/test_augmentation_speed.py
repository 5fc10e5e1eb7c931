from pathlib import Path
from typing import Any

import pytest

from pipelines.benchmarks import augmentation_speed
from pipelines.benchmarks.bar import Workspace


@pytest.mark.parametrize(("one_by_one", "holds"), [(2.0, True), (1.9, False)])
def test_the_bar_is_20_times_the_same_operators_one_by_one_and_lists_are_reported(
    nowhere: Workspace, monkeypatch: pytest.MonkeyPatch, one_by_one: float, holds: bool
) -> None:
    def run_own(module: str, job: dict[str, Any], *, log: Path) -> dict[str, Any]:
        assert (module, job["pairs"]) == ("augmenting", str(nowhere.run / "pairs"))
        return {"ours": 0.1, "one_by_one": one_by_one, "lists": 0.7, "n_events": 5, "version": "PyTorch 2"}

    monkeypatch.setattr(augmentation_speed, "run_own", run_own)
    bar, lists = augmentation_speed.measure(nowhere)
    assert (bar.name, bar.bar, bar.holds) == ("augment", "ratio >= 20", holds)
    assert (lists.name, lists.holds, lists.ratio) == ("augment-lists", None, pytest.approx(7))
