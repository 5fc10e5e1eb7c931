"""How sure a figure is: bootstrap over users, the same resamples for every model so that differences are paired."""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from recsys.core.random import rng_for

Values = NDArray[np.float64]
K = TypeVar("K", bound=Hashable)
_NORMAL_95 = 1.959963984540054
_BLOCK = 64  # resamples at once: the figures are read from memory once for all of them


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A value and its 95 % interval."""

    value: float
    low: float
    high: float


def resample_weights(n_users: int, *, n_resamples: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """How often each user is drawn, for each resample with replacement. Yields arrays of shape (U,) that sum to U."""
    rng = rng_for(seed, "bootstrap")
    for _ in range(n_resamples):
        yield np.bincount(rng.integers(0, n_users, n_users), minlength=n_users)


def mean_intervals(values: Mapping[K, Values], *, n_resamples: int, seed: int) -> dict[K, Interval]:
    """Percentile intervals of means over users.

    Args:
        values: Name to values of shape (U,). A difference of two models' values gives the paired interval.
        n_resamples: Resamples.
        seed: The same seed draws the same users.

    Source: Efron & Tibshirani, "An Introduction to the Bootstrap", 1993, section 13.3.
    """
    table = np.stack(list(values.values()), axis=1)  # (U, M)
    n_users = len(table)
    weights = resample_weights(n_users, n_resamples=n_resamples, seed=seed)
    blocks = iter(lambda: list(islice(weights, _BLOCK)), [])
    means = np.concatenate([np.stack(block).astype(np.float64) @ table for block in blocks]) / n_users  # (R, M)
    low, high = np.quantile(means, [0.025, 0.975], axis=0)
    return {
        name: Interval(value=float(value), low=float(below), high=float(above))
        for name, value, below, above in zip(values, table.mean(0), low, high, strict=True)
    }


def spread_intervals(
    statistics: Callable[[NDArray[np.int64] | None], Sequence[float]], *, n_users: int, n_resamples: int, seed: int
) -> list[Interval]:
    """Intervals of figures of the whole catalogue, such as coverage: the value and 1.96 bootstrap standard errors.

    A resample holds fewer different users than the sample, so its coverage is lower and a percentile interval would miss
    the value itself; the spread of the resamples still tells how much the figure hangs on who is in the sample.

    Args:
        statistics: Takes how often each user counts, shape (U,), or None for each once; gives figures in [0, 1].
        n_users: U.
        n_resamples: Resamples.
        seed: Of the draws.
    """
    values = statistics(None)
    weights = resample_weights(n_users, n_resamples=n_resamples, seed=seed)
    drawn = np.array([statistics(weight) for weight in weights])  # (R, figures)
    half = _NORMAL_95 * drawn.std(axis=0, ddof=1) if len(drawn) > 1 else np.zeros(len(values))
    return [
        Interval(value=float(value), low=max(0.0, float(value - width)), high=min(1.0, float(value + width)))
        for value, width in zip(values, half, strict=True)
    ]
