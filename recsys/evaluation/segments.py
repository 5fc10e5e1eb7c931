"""Warm and cold items apart: who finds what train knows, and who finds what it does not."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recsys.core.columns import ITEM_ID, USER_ID
from recsys.evaluation.intervals import mean_intervals
from recsys.evaluation.judgements import Judgements
from recsys.metrics.judge import hits_of_ranks, judge

WARM, COLD = "warm items", "cold items"
Ranks = NDArray[np.int64]


def judge_part(judgements: Judgements, items: pl.Series, *, is_cold: bool) -> Judgements:
    """The judgements on items that train knows, or on all others; users with none of them are not judged.

    Args:
        judgements: On all items.
        items: The catalogue of train.
        is_cold: Whether the others are meant.
    """
    is_known = pl.col(ITEM_ID).is_in(items.implode())
    pairs = judgements.pairs.filter(~is_known if is_cold else is_known)
    return replace(judgements, pairs=pairs, n_relevant=pairs.group_by(USER_ID).len(name="n_relevant").sort(USER_ID))


def rank_metrics(ranks: Ranks, user: NDArray[np.int64], *, ks: Sequence[int]) -> dict[str, NDArray[np.float64]]:
    """Recall and NDCG of each user from the ranks of the relevant items.

    Args:
        ranks: Shape (P,), rank from 1 of each relevant item in its user's whole list.
        user: Shape (P,), whose it is, from 0 without holes.
        ks: List lengths.

    Returns:
        `recall@k` and `ndcg@k`, shape (U,) each.
    """
    hits, n_relevant = hits_of_ranks(ranks, user, longest=max(ks))
    return judge(hits, n_relevant, ks=ks, metrics=("recall", "ndcg"))


def segment_rows(
    segment: str, models: Mapping[str, Mapping[str, NDArray[np.float64]]], *, n_resamples: int, seed: int
) -> list[dict[str, Any]]:
    """One row a model and metric: `segment, model, metric, value, low, high, n_users`.

    Args:
        segment: What is judged.
        models: Name to metric name to values, shape (U,).
        n_resamples: Of the bootstrap.
        seed: Of the bootstrap.
    """
    values = {(model, metric): own for model, figures in models.items() for metric, own in figures.items()}
    return [
        {"segment": segment, "model": model, "metric": metric, "value": it.value, "low": it.low, "high": it.high}
        | {"n_users": len(values[model, metric])}
        for (model, metric), it in mean_intervals(values, n_resamples=n_resamples, seed=seed).items()
    ]
