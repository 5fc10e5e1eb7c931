"""train-hstu: our HSTU encoder against RecTools' HSTU, real targets a second."""

from collections.abc import Iterator

from pipelines.benchmarks.bar import Place, Result, at_least
from pipelines.benchmarks.rectools_speed import compare_to_rectools


def measure(place: Place) -> Iterator[Result]:
    """Whole epochs of both, with their biases for place and time."""
    yield compare_to_rectools(place, name="train-hstu", encoder="hstu", model="HSTUModel", limit=at_least("ratio", 5))
