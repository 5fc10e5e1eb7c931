"""train-hstu: our HSTU encoder against RecTools' HSTU, real targets a second."""

from collections.abc import Iterator

from pipelines.benchmarks.bar import Result, Workspace, at_least
from pipelines.benchmarks.rectools_speed import compare_to_rectools


def measure(workspace: Workspace) -> Iterator[Result]:
    """Whole epochs of both, with their biases for distance and time."""
    yield compare_to_rectools(workspace, name="train-hstu", encoder="hstu", model="HSTUModel", limit=at_least("ratio", 5))
