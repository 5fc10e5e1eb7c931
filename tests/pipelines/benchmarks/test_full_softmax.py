from pathlib import Path
from typing import Any

import pytest

from pipelines.benchmarks import full_softmax
from pipelines.benchmarks.bar import Workspace


@pytest.mark.parametrize(("ours", "holds"), [(0.028, True), (0.029, False)])
def test_the_bar_is_at_most_1_4_times_the_products(
    nowhere: Workspace, monkeypatch: pytest.MonkeyPatch, ours: float, holds: bool
) -> None:
    def run_own(module: str, job: dict[str, Any], *, log: Path) -> dict[str, Any]:
        assert (module, job["n_rows"], job["n_items"], job["dim"]) == ("softmax", 25_600, 3_706, 64)
        assert job["n_rows"] in job["chunks"]
        return {"ours": ours, "products": 0.02, "version": "PyTorch 2"}

    monkeypatch.setattr(full_softmax, "run_own", run_own)
    (result,) = full_softmax.measure(nowhere)
    assert (result.bar, result.holds, result.unit) == ("ratio <= 1.4", holds, "ms")
    assert result.peer == pytest.approx(20)
