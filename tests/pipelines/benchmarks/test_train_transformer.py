from typing import Any

from pipelines.benchmarks.bar import Workspace
from pipelines.benchmarks.train_transformer import measure


def test_the_bar_is_8_times_rectools(nowhere: Workspace, jobs: list[tuple[str, dict[str, Any]]]) -> None:
    (result,) = measure(nowhere)
    assert (result.name, result.bar, result.peer_version) == ("train-transformer", "ratio >= 8", "rectools 1.0")
    assert (result.ratio, result.holds) == (9, True)
    assert jobs[0][1]["settings"]["encoder"] == "transformer"
    assert jobs[1][1]["model"] == "SASRecModel"
