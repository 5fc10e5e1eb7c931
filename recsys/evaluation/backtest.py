"""Several cuts of one log: does what holds at one moment hold at others?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class OverCuts:
    """One model over all cuts.

    Attributes:
        model: Its name.
        values: At each cut, in the order given; None where it is missing.
        mean: Over the cuts where it is there.
        low: The least of them.
        high: The most.
        n_best: Cuts at which no other model is ahead.
    """

    model: str
    values: tuple[float | None, ...]
    mean: float
    low: float
    high: float
    n_best: int


def summarise(cuts: Sequence[Sequence[Mapping[str, Any]]], *, metric: str) -> list[OverCuts]:
    """Models over cuts, the highest mean first.

    Args:
        cuts: For each cut the rows of `metrics.json`: `model, metric, value`.
        metric: Which figure.

    >>> cut = [{"model": "a", "metric": "ndcg@10", "value": 0.2}, {"model": "b", "metric": "ndcg@10", "value": 0.1}]
    >>> [(row.model, row.mean, row.n_best) for row in summarise([cut, cut], metric="ndcg@10")]
    [('a', 0.2, 2), ('b', 0.1, 0)]
    """
    tables = [{row["model"]: float(row["value"]) for row in rows if row["metric"] == metric} for rows in cuts]
    found = []
    for model in dict.fromkeys(name for table in tables for name in table):
        values = [table.get(model) for table in tables]
        there = np.array([value for value in values if value is not None])
        best = sum(model in table and table[model] >= max(table.values()) for table in tables)
        found.append(
            OverCuts(
                model=model,
                values=tuple(values),
                mean=float(there.mean()),
                low=float(there.min()),
                high=float(there.max()),
                n_best=best,
            )
        )
    return sorted(found, key=lambda row: (-row.mean, row.model))
