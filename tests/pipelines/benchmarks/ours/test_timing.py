import time

from pipelines.benchmarks.ours.timing import seconds_of


def test_the_seconds_are_those_of_the_work() -> None:
    assert 0.02 <= seconds_of(lambda: time.sleep(0.02)) < 1
