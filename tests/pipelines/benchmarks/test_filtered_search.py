from typing import Any

import pytest

from pipelines.benchmarks import filtered_search
from pipelines.benchmarks.bar import Workspace


@pytest.mark.parametrize(("seconds", "holds"), [(0.29, True), (0.31, False)])
def test_a_filtered_query_may_cost_three_times_an_unfiltered_one(
    nowhere: Workspace, monkeypatch: pytest.MonkeyPatch, seconds: float, holds: bool
) -> None:
    def run_own(module: str, job: dict[str, Any], *, log: Any) -> dict[str, Any]:
        assert (module, job["side"]) == ("searching", "filtered")
        return {"seconds": seconds, "unfiltered": 0.1, "version": "PyTorch 2"}

    monkeypatch.setattr(filtered_search, "run_own", run_own)
    (result,) = filtered_search.measure(nowhere, n_items=200, n_users=10)
    assert (result.bar, result.holds) == ("ratio <= 3", holds)
