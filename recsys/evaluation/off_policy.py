"""What lists would have earned, from a log that says with which chance each item was shown: IPS, SNIPS and doubly robust."""

from dataclasses import dataclass
from itertools import islice

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recsys.core.columns import ITEM_ID, RANK, USER_ID
from recsys.core.errors import DataError
from recsys.core.random import rng_for
from recsys.evaluation.intervals import Interval, Values, resample_weights

REWARD, PROPENSITY = "reward", "propensity"
_SHRINKAGE = 20.0
_BLOCK = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class OffPolicy:
    """Estimates of the mean reward of one item shown, each with its 95 % interval.

    Attributes:
        logged: What the log earned.
        ips: Inverse propensity scoring: unbiased, and far off where few shown items are in the lists.
        snips: The same over the sum of its weights: a little biased, steadier.
        doubly_robust: A model of rewards corrected by the log: unbiased where either is right.
        n_events: Events of the log of users who have a list.
        n_matched: Events whose item the lists would have shown.
        effective_size: As many events of equal weight say as much: below a few hundred nothing is known.
    """

    logged: Interval
    ips: Interval
    snips: Interval
    doubly_robust: Interval
    n_events: int
    n_matched: int
    effective_size: float


def evaluate_lists(log: pl.DataFrame, lists: pl.DataFrame, *, k: int, n_resamples: int = 1_000, seed: int = 0) -> OffPolicy:
    """What a policy would have earned that shows one of the first k items of a user's list, each with the same chance.

    Args:
        log: user_id, item_id, reward, and propensity, the chance with which the item was shown.
        lists: user_id, item_id, rank.
        k: Ranks that are shown.
        n_resamples: Of the bootstrap over users.
        seed: Of it.

    Raises:
        DataError: A propensity is not above 0 and at most 1, nobody of the log has a list, or no event shows what they list.
    """
    is_whole = pl.col(PROPENSITY).is_between(0, 1, closed="right") & pl.col(REWARD).is_finite()
    wrong = log.filter(~is_whole.fill_null(False))
    if wrong.height:
        raise DataError(
            f"off-policy: each event must have a reward, and a propensity above 0 and at most 1, got {wrong.height:,} others, "
            f"the first with {wrong[PROPENSITY][0]}; leave out what was not drawn by chance"
        )
    shown = lists.filter(pl.col(RANK) <= k).select(USER_ID, ITEM_ID).with_columns(chance=1 / pl.len().over(USER_ID))
    events = log.join(shown.select(USER_ID).unique(), on=USER_ID, how="semi")
    if events.is_empty():
        raise DataError("off-policy: some user of the log must have a list, got none; are their ids written alike?")
    fold = rng_for(seed, "folds").permutation(events.height) % 2
    events = events.join(shown, on=[USER_ID, ITEM_ID], how="left", maintain_order="left").with_columns(
        pl.col("chance").fill_null(0.0), fold=pl.Series(fold)
    )
    if not (events["chance"] > 0).any():
        raise DataError(f"off-policy: some event must show one of the first {k} items of its user's list, got none; raise -k")
    model = _reward_model(events)
    own = events.join(model, on=["fold", ITEM_ID], how="left", maintain_order="left")
    default = _fold_means(events)[fold]
    return estimate(
        own[REWARD].to_numpy().astype(np.float64),
        own[PROPENSITY].to_numpy().astype(np.float64),
        own["chance"].to_numpy(),
        expected=np.where(own["expected"].is_null().to_numpy(), default, own["expected"].fill_null(0).to_numpy()),
        expected_of_policy=_expected_of_lists(events, shown, model),
        owner=own[USER_ID].rank("dense").to_numpy().astype(np.int64) - 1,
        n_resamples=n_resamples,
        seed=seed,
    )


def estimate(
    reward: Values,
    propensity: Values,
    chance: Values,
    *,
    expected: Values,
    expected_of_policy: Values,
    owner: NDArray[np.int64],
    n_resamples: int,
    seed: int,
) -> OffPolicy:
    """The three estimators.

    Args:
        reward: Shape (N,), of each event.
        propensity: Shape (N,), the chance with which the log showed the item.
        chance: Shape (N,), that with which the policy would show it.
        expected: Shape (N,), the reward that a model expects of the shown item; it must not know this event.
        expected_of_policy: Shape (N,), the same of what the policy would show, by its chances.
        owner: Shape (N,), whose each event is, from 0; what one user does hangs together.
        n_resamples: Of the bootstrap over users.
        seed: Of it.

    Source: Swaminathan & Joachims, "The Self-Normalized Estimator for Counterfactual Learning", NeurIPS 2015, eq. 2 and 7;
        Dudík, Langford & Li, "Doubly Robust Policy Evaluation and Learning", ICML 2011, eq. 3.
    """
    weight = chance / propensity
    columns = (reward, weight * reward, weight, expected_of_policy + weight * (reward - expected), np.ones(len(reward)))
    sums = np.stack([np.bincount(owner, column) for column in columns], axis=1)  # (U, 5)
    weights = resample_weights(len(sums), n_resamples=n_resamples, seed=seed)
    blocks = iter(lambda: list(islice(weights, _BLOCK)), [])
    drawn = np.concatenate([np.stack(block).astype(np.float64) @ sums for block in blocks])  # (R, 5)
    own, squares = sums.sum(0), float((weight**2).sum())
    return OffPolicy(
        logged=_interval(own[0] / own[4], drawn[:, 0] / drawn[:, 4]),
        ips=_interval(own[1] / own[4], drawn[:, 1] / drawn[:, 4]),
        snips=_interval(own[1] / own[2], drawn[:, 1] / np.where(drawn[:, 2] > 0, drawn[:, 2], np.nan)),
        doubly_robust=_interval(own[3] / own[4], drawn[:, 3] / drawn[:, 4]),
        n_events=len(reward),
        n_matched=int((chance > 0).sum()),
        effective_size=float(weight.sum() ** 2 / squares),
    )


def _interval(value: float, drawn: NDArray[np.float64]) -> Interval:
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    return Interval(value=float(value), low=float(low), high=float(high))


def _reward_model(events: pl.DataFrame) -> pl.DataFrame:
    """fold, item_id, expected: each item's mean reward in the other half of the events, drawn to that of all items."""
    means = _fold_means(events)
    other = events.group_by((1 - pl.col("fold")).alias("fold"), ITEM_ID).agg(
        pl.col(REWARD).sum().alias("sum"), pl.len().alias("n")
    )
    prior = pl.Series(means[other["fold"].to_numpy()])
    return other.select("fold", ITEM_ID, expected=(pl.col("sum") + _SHRINKAGE * prior) / (pl.col("n") + _SHRINKAGE))


def _fold_means(events: pl.DataFrame) -> NDArray[np.float64]:
    """For each half the mean reward in the other one. Shape (2,)."""
    fold, reward = events["fold"].to_numpy(), events[REWARD].to_numpy().astype(np.float64)
    sums, counts = np.bincount(fold, reward, minlength=2), np.bincount(fold, minlength=2)
    return np.asarray((sums / np.maximum(counts, 1))[::-1], np.float64)


def _expected_of_lists(events: pl.DataFrame, shown: pl.DataFrame, model: pl.DataFrame) -> NDArray[np.float64]:
    """What the model expects of a user's list, for each event. Shape (N,)."""
    means = pl.DataFrame({"fold": [0, 1], "prior": _fold_means(events)})
    asked = events.select(USER_ID, "fold").unique().join(shown, on=USER_ID).join(means, on="fold")
    valued = asked.join(model, on=["fold", ITEM_ID], how="left").with_columns(pl.col("expected").fill_null(pl.col("prior")))
    of_user = valued.group_by(USER_ID, "fold").agg((pl.col("chance") * pl.col("expected")).sum().alias("value"))
    joined = events.join(of_user, on=[USER_ID, "fold"], how="left", maintain_order="left")
    return np.asarray(joined["value"].fill_null(0).to_numpy(), np.float64)
