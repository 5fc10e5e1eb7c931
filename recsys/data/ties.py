"""The order of a user's events with equal times: the log leaves it open, and which event is held out hangs on it."""

from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recsys.core.columns import TIMESTAMP, USER_ID
from recsys.core.random import rng_for

Ties = Literal["file", "shuffled", "unstable"]

_PLACE = "__place__"


def sort_events(log: pl.DataFrame, *, ties: Ties, seed: int) -> pl.DataFrame:
    """Sort a log by user and time, and put equal times of a user into the order that `ties` asks for.

    Args:
        log: One row an event, in the order of the file.
        ties: `file` keeps the order of the file; `shuffled` draws one from `seed`, the same on every machine; `unstable` is
            what numpy's default sort of the whole log by time leaves, and depends on numpy's version and the processor.
        seed: Of the order that is drawn.

    Source: for `unstable`, `research/data/preprocessor.py` of Meta's generative-recommenders: pandas' `sort_values` by
        time with its default kind, then `groupby` user.
    """
    places = pl.Series(_PLACE, _places(log, ties, seed))
    return log.with_columns(places).sort(USER_ID, TIMESTAMP, _PLACE).drop(_PLACE)


def _places(log: pl.DataFrame, ties: Ties, seed: int) -> NDArray[np.int64]:
    """Where among all rows each row stands, of which only the order within a user's equal times is used."""
    in_file = np.arange(log.height, dtype=np.int64)
    match ties:
        case "file":
            return in_file
        case "shuffled":
            return rng_for(seed, "ties").permutation(in_file)
        case "unstable":
            places = np.empty_like(in_file)
            places[np.argsort(log[TIMESTAMP].to_physical().to_numpy())] = in_file
            return places


def describe_order(ties: Ties, *, seed: int) -> str:
    """The order in words."""
    match ties:
        case "file":
            return "as in the file"
        case "shuffled":
            return f"shuffled, seed {seed}"
        case "unstable":
            return (
                f"as an unstable sort of the whole log by time leaves them (numpy {np.__version__}; another version or "
                "processor may leave another order)"
            )
