from typing import Any

from pipelines.benchmarks.bar import Workspace
from pipelines.benchmarks.train_hstu import measure


def test_the_bar_is_5_times_rectools(nowhere: Workspace, jobs: list[tuple[str, dict[str, Any]]]) -> None:
    (result,) = measure(nowhere)
    assert (result.name, result.bar, result.peer_version) == ("train-hstu", "ratio >= 5", "rectools 1.0")
    assert (result.ratio, result.holds) == (9, True)
    assert jobs[0][1]["settings"]["encoder"] == "hstu"
    assert jobs[1][1]["model"] == "HSTUModel"
