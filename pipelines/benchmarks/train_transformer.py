"""train-transformer: our transformer against RecTools' SASRec, real targets a second."""

from collections.abc import Iterator

from pipelines.benchmarks.bar import Result, Workspace, at_least
from pipelines.benchmarks.rectools_speed import compare_to_rectools


def measure(workspace: Workspace) -> Iterator[Result]:
    """Whole epochs of both."""
    yield compare_to_rectools(
        workspace, name="train-transformer", encoder="transformer", model="SASRecModel", limit=at_least("ratio", 8)
    )
