"""Models in parts of users and of items: all their figures, and where the published lists do worse than a rule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recsys.core.columns import ITEM_ID, ITEM_IDX, USER_ID
from recsys.evaluation.groups import Group
from recsys.evaluation.intervals import Interval, mean_intervals
from recsys.evaluation.judgements import Judgements
from recsys.evaluation.scope import ScopeScores
from recsys.evaluation.score import Scored
from recsys.evaluation.segments import segment_rows
from recsys.evaluation.significance import holm, sign_flip_p_values
from recsys.metrics.judge import judge

FEWEST_USERS = 30
_LEVEL = 0.05
_FEWEST_SIGNS = 1_000


def group_metrics(
    scored: Scored, judgements: Judgements, catalogue: pl.DataFrame, group: Group, *, ks: Sequence[int]
) -> dict[str, NDArray[np.float64]]:
    """`hr@k`, `ndcg@k` and `recall@k` of the users of a group, or of the users who took an item of it.

    Args:
        scored: A model's result.
        judgements: What is relevant.
        catalogue: item_id; its row numbers are item idx.
        group: The group.
        ks: List lengths.
    """
    hits, n_relevant = scored.hits, scored.n_relevant
    if group.items is not None:
        hits = hits & (scored.item_idx >= 0) & group.items[np.maximum(scored.item_idx, 0)]
        numbered = catalogue.select(ITEM_ID).with_row_index(ITEM_IDX).filter(pl.Series(group.items))
        own = judgements.pairs.join(numbered, on=ITEM_ID, how="semi").group_by(USER_ID).len(name="n")
        counted = judgements.n_relevant.join(own, on=USER_ID, how="left", maintain_order="left")
        n_relevant = counted["n"].fill_null(0).to_numpy().astype(np.int64)
    chosen = n_relevant > 0 if group.users is None else group.users
    return judge(hits[chosen], n_relevant[chosen], ks=ks, metrics=("hr", "ndcg", "recall"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Fall:
    """A group that does worse with the published lists than with another model's.

    Attributes:
        group: Its label.
        other: The other model.
        metric: Such as `ndcg@10`.
        other_value: What the group has with it.
        difference: Published lists minus the other's, with the 95 % interval.
    """

    group: str
    other: str
    metric: str
    other_value: float
    difference: Interval

    @property
    def in_words(self) -> str:
        """What fell, and by how much."""
        share = -self.difference.value / self.other_value
        return f"{self.group} loses {share:.0%} of {self.metric.upper()} against {self.other} ({self.other_value:.4f})"


def find_falls(
    ours: Mapping[str, NDArray[np.float64]],
    theirs: Mapping[str, NDArray[np.float64]],
    *,
    other: str,
    metric: str,
    most: float,
    n_resamples: int,
    seed: int,
) -> list[Fall]:
    """Groups of at least 30 users that lose more than a share of the figure, and that by no chance among so many groups.

    Args:
        ours: Label of a group to values of its users with the published lists.
        theirs: The same with another model's.
        other: Its name.
        metric: Which figure it is.
        most: The share that may be lost.
        n_resamples: Of the bootstrap.
        seed: Of it.

    Returns:
        The largest loss first.
    """
    differences = {label: ours[label] - theirs[label] for label in ours if len(ours[label]) >= FEWEST_USERS}
    # So many signs that a sure loss stays one after Holm, however many groups there are.
    signs = {"n_resamples": max(n_resamples, _FEWEST_SIGNS, round(10 * len(differences) / _LEVEL)), "seed": seed}
    p_values = holm({label: sign_flip_p_values({label: values}, **signs)[label] for label, values in differences.items()})
    found = []
    for label, values in differences.items():
        value = float(theirs[label].mean())
        if p_values[label] < _LEVEL and -values.mean() > most * value:
            interval = mean_intervals({label: values}, n_resamples=n_resamples, seed=seed)[label]
            found.append(Fall(group=label, other=other, metric=metric, other_value=value, difference=interval))
    return sorted(found, key=lambda fall: fall.difference.value / fall.other_value)


def score_groups(
    scores: ScopeScores,
    groups: Sequence[Group],
    catalogue: pl.DataFrame,
    *,
    k: int,
    ks: Sequence[int],
    largest_fall: float,
    n_resamples: int,
    seed: int,
) -> tuple[list[dict[str, Any]], list[Fall]]:
    """All models in each group, and the groups for which the strongest single rule does better than the published lists.

    Args:
        scores: All models on what is judged first.
        groups: From `user_groups` and `item_groups`.
        catalogue: item_id and count of train events.
        k: The list length that models are compared at.
        ks: All list lengths.
        largest_fall: The share of NDCG that a group may lose.
        n_resamples: Of the bootstrap.
        seed: Of it.

    Returns:
        Rows as `segment_rows` gives them, and what fell.
    """
    rows, resampling, metric = list[dict[str, Any]](), {"n_resamples": n_resamples, "seed": seed}, f"ndcg@{k}"
    ours, theirs = dict[str, NDArray[np.float64]](), dict[str, NDArray[np.float64]]()
    rival = scores.rivals[0].baseline if scores.rivals else None
    for group in groups:
        found = {name: group_metrics(own, scores.judgements, catalogue, group, ks=ks) for name, own in scores.models.items()}
        if len(found[scores.model][metric]):
            rows += segment_rows(group.label, found, **resampling)
            if rival is not None:
                ours[group.label], theirs[group.label] = found[scores.model][metric], found[rival][metric]
    if rival is None:
        return rows, []
    return rows, find_falls(ours, theirs, other=rival, metric=metric, most=largest_fall, **resampling)
