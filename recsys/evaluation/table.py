"""All figures of all models as rows: what `metrics.json` holds."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsys.evaluation.intervals import Interval, mean_intervals, spread_intervals
from recsys.evaluation.score import Scored, list_counts
from recsys.metrics.catalogue import coverage, gini

_CATALOGUE_RESAMPLES, _RESAMPLED_ROWS = 50, 20_000_000


def headline_metrics(k: int, ks: Sequence[int]) -> list[str]:
    """The four figures of every table: hits and gain at k, recall of the longest list, coverage at k.

    >>> headline_metrics(10, [1, 10, 100])
    ['hr@10', 'ndcg@10', 'recall@100', 'coverage@10']
    """
    return [f"hr@{k}", f"ndcg@{k}", f"recall@{max(ks)}", f"coverage@{k}"]


def metric_rows(
    models: Mapping[str, Scored], *, n_items: int, ks: Sequence[int], n_resamples: int, seed: int
) -> list[dict[str, Any]]:
    """One row a model and metric: `model, metric, value, low, high, n_users`.

    Args:
        models: Name to result; their order is kept.
        n_items: I, the catalogue.
        ks: List lengths.
        n_resamples: Of the bootstrap of means; catalogue figures use at most 50, fewer over 400,000 users.
        seed: Of the bootstrap.
    """
    of_users = {(name, metric): values for name, scored in models.items() for metric, values in scored.per_user.items()}
    means = mean_intervals(of_users, n_resamples=n_resamples, seed=seed)
    rows = []
    for name, scored in models.items():
        intervals = {metric: means[name, metric] for metric in scored.per_user}
        n_users = len(scored.item_idx)
        n_draws = min(n_resamples, max(20, min(_CATALOGUE_RESAMPLES, _RESAMPLED_ROWS // n_users)))
        intervals |= _catalogue_intervals(scored, n_items, ks, n_draws, seed)
        rows += [
            {"model": name, "metric": metric, "value": it.value, "low": it.low, "high": it.high, "n_users": n_users}
            for metric, it in intervals.items()
        ]
    return rows


def _catalogue_intervals(scored: Scored, n_items: int, ks: Sequence[int], n_resamples: int, seed: int) -> dict[str, Interval]:
    intervals: dict[str, Interval] = {}
    for k in ks:

        def figures(weight: NDArray[np.int64] | None, k: int = k) -> tuple[float, float]:
            counts = list_counts(scored.item_idx, n_items=n_items, k=k, weight=weight)
            return coverage(counts), gini(counts)

        n_users = len(scored.item_idx)
        found = spread_intervals(figures, n_users=n_users, n_resamples=n_resamples, seed=seed)
        intervals |= dict(zip((f"coverage@{k}", f"gini@{k}"), found, strict=True))
    return intervals
