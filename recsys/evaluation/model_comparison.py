"""Two sets of lists, whoever made them, against the test of a run."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from recsys.candidates.facts import RetrieveFacts
from recsys.core.columns import COUNT, ITEM_ID, USER_ID
from recsys.core.errors import DataError
from recsys.core.facts import read_facts
from recsys.evaluation.intervals import Interval, mean_intervals
from recsys.evaluation.judgements import Judgements, build_judgements
from recsys.evaluation.score import score_candidates
from recsys.evaluation.significance import holm, sign_flip_p_values

_METRICS = ("hr", "recall", "precision", "ndcg", "mrr", "map")
_LEVEL = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One figure of both.

    Attributes:
        metric: Such as `ndcg@10`.
        first: Of the first lists.
        second: Of the second ones.
        difference: Second minus first, paired over users, with its 95 % interval.
        p_value: Of the randomisation test, by Holm over all figures.
        n_users: Users who are judged: those of the test with a list in both.
    """

    metric: str
    first: float
    second: float
    difference: Interval
    p_value: float
    n_users: int

    @property
    def in_words(self) -> str:
        """Who is better, if either is."""
        if self.p_value < _LEVEL and self.difference.low > 0:
            return "second is better"
        return "first is better" if self.p_value < _LEVEL and self.difference.high < 0 else "not distinguishable"


def read_test(run: Path) -> tuple[Judgements, pl.DataFrame]:
    """What is relevant in the test of a run, and the catalogue, item_id and count of train events.

    Args:
        run: A run folder, with `retrieve` done: whether repeats count is what its lists were made for.
    """
    train, validation, test = (pl.read_parquet(run / "split" / f"{part}.parquet") for part in ("train", "validation", "test"))
    keeps_seen = read_facts(run / "retrieve", RetrieveFacts).scope == "all"
    judgements = build_judgements(train, validation, test, has_repeats=keeps_seen)
    return judgements, train.group_by(ITEM_ID).len(name=COUNT).sort(ITEM_ID)


def compare_on_test(
    first: pl.DataFrame,
    second: pl.DataFrame,
    judgements: Judgements,
    catalogue: pl.DataFrame,
    *,
    ks: Sequence[int],
    n_resamples: int = 1_000,
    seed: int = 0,
) -> list[Difference]:
    """Judge both for the users of the test who have a list in both.

    Args:
        first: user_id, item_id, rank.
        second: Likewise.
        judgements: What is relevant.
        catalogue: item_id and count of train events.
        ks: List lengths.
        n_resamples: Of the bootstrap and of the randomisation test.
        seed: Of both.

    Raises:
        DataError: Nobody has a list in both.
    """
    listed = first.select(USER_ID).unique().join(second.select(USER_ID).unique(), on=USER_ID, how="semi")
    judged = judgements.n_relevant.join(listed, on=USER_ID, how="semi")
    if judged.is_empty():
        raise DataError(
            f"compare: some user of the test must have a list in both, got {listed.height:,} users with two lists and "
            f"{judgements.n_relevant.height:,} in the test; are their ids written alike?"
        )
    own = replace(judgements, pairs=judgements.pairs.join(judged, on=USER_ID, how="semi"), n_relevant=judged)
    names = [f"{metric}@{k}" for metric in _METRICS for k in ks]
    one, other = (score_candidates(each.lazy(), own, catalogue, ks=ks, name="compare").per_user for each in (first, second))
    differences = {name: other[name] - one[name] for name in names}
    intervals = mean_intervals(differences, n_resamples=n_resamples, seed=seed)
    p_values = holm(sign_flip_p_values(differences, n_resamples=n_resamples, seed=seed))
    return [
        Difference(
            metric=name,
            first=float(one[name].mean()),
            second=float(other[name].mean()),
            difference=intervals[name],
            p_value=p_values[name],
            n_users=judged.height,
        )
        for name in names
    ]
