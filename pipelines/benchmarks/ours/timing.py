"""How long something takes."""

import time
from collections.abc import Callable


def seconds_of(work: Callable[[], None]) -> float:
    """Wall-clock seconds of one call."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
