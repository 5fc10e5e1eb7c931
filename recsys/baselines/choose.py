"""Every baseline with its grid of settings, and the choice among them on validation."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recsys.baselines.als import als_ranker, fit_als
from recsys.baselines.blend import DEPTH
from recsys.baselines.co_visitation import co_visitation_ranker, fit_co_visitation
from recsys.baselines.ease import ease_ranker, fit_ease
from recsys.baselines.facts import BaselineName
from recsys.baselines.item_knn import fit_item_knn, item_knn_ranker
from recsys.baselines.own_history import fit_own_history, own_history_ranker
from recsys.baselines.popularity import popularity_scores, recent_popularity_scores
from recsys.baselines.random import random_ranker
from recsys.baselines.ranking import Ranker, same_for_all_ranker
from recsys.baselines.train_matrix import BaselineData
from recsys.core.columns import ITEM_ID, ITEM_IDX, USER_ID, USER_IDX
from recsys.core.random import rng_for
from recsys.index.nearest import Neighbours
from recsys.metrics.judge import find_hits, judge
from recsys.splits.facts import Scope

Variant = Mapping[str, Any]
_K = 10
_MANY_ITEMS = 6_000
_BLOCK_USERS = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One baseline and its grid: every fit with every way to rank by it.

    Attributes:
        fit: From data and a row of `fits` to what was learned.
        ranker: From data, what was learned, and a row of both to lists.
        fits: Settings of the fit.
        ranks: Settings of the ranking.
        is_quadratic: Whether it needs a number for each pair of items, or a row of scores for each user.
        has_time: Whether it needs times.
        has_repeats: Whether all that it has to say is what users took before.
    """

    fit: Callable[..., Any]
    ranker: Callable[..., Ranker]
    fits: Sequence[Variant] = ({},)
    ranks: Sequence[Variant] = ({},)
    is_quadratic: bool = False
    has_time: bool = False
    has_repeats: bool = False

    def build(self, data: BaselineData, variants: Mapping[Scope, Variant]) -> dict[Scope, Ranker]:
        """Fit each variant, a row of `fits` joined with one of `ranks`; a fit that two of them share is done once."""
        models, rankers = dict[int, Any](), dict[Scope, Ranker]()
        for scope, variant in variants.items():
            number = next(number for number, row in enumerate(self.fits) if row.items() <= variant.items())
            rank = next(row for row in self.ranks if row.items() <= variant.items())
            if number not in models:
                models[number] = self.fit(data, **self.fits[number])
            rankers[scope] = self.ranker(data, models[number], self.fits[number], rank)
        return rankers


def families(*, n_items: int, als_dim: int = 64, seed: int) -> dict[BaselineName, Family]:
    """All baselines but the blend, by name.

    Args:
        n_items: I; from 6,000 on EASE has a shorter grid, as a fit takes time in the order of I³.
        als_dim: Numbers of a factor of iALS.
        seed: Of random lists and of the first factors of iALS.
    """
    strengths = (200.0, 50.0, 800.0, 3200.0) if n_items < _MANY_ITEMS else (200.0, 800.0)
    half_lives = ({"half_life": None}, {"half_life": 10.0}, {"half_life": 3.0})
    return {
        "random": Family(fit=lambda data: None, ranker=lambda data, model, fit, rank: random_ranker(data, seed=seed)),
        "popularity": Family(fit=popularity_scores, ranker=lambda data, scores, fit, rank: same_for_all_ranker(data, scores)),
        "recent_popularity": Family(
            fit=recent_popularity_scores,
            ranker=lambda data, scores, fit, rank: same_for_all_ranker(data, scores),
            fits=tuple({"window_days": days} for days in (1.0, 7.0, 30.0, 90.0)),
            has_time=True,
        ),
        "item_knn": Family(
            fit=fit_item_knn,
            ranker=lambda data, similarity, fit, rank: item_knn_ranker(data, similarity, **rank),
            fits=(
                {"weighting": "cosine", "shrinkage": 10.0},
                {"weighting": "cosine", "shrinkage": 50.0},
                {"weighting": "cosine", "shrinkage": 0.0},
                {"weighting": "tf-idf"},
                {"weighting": "bm25"},
            ),
            ranks=half_lives,
        ),
        "co_visitation": Family(
            fit=fit_co_visitation,
            ranker=lambda data, followers, fit, rank: co_visitation_ranker(data, followers, **rank),
            fits=tuple(
                {"window": window, "normalisation": normalisation}
                for normalisation in ("share", "cosine")
                for window in (1, 5, 20)
            ),
            ranks=({"half_life": 2.0}, {"half_life": 0.5}, {"half_life": 8.0}),
        ),
        "ease": Family(
            fit=fit_ease,
            ranker=lambda data, weights, fit, rank: ease_ranker(data, weights, **rank),
            fits=tuple({"regularisation": strength} for strength in strengths),
            ranks=half_lives,
            is_quadratic=True,
        ),
        "als": Family(
            fit=lambda data, unobserved_weight: fit_als(data, dim=als_dim, unobserved_weight=unobserved_weight, seed=seed),
            ranker=lambda data, items, fit, rank: als_ranker(data, items, **fit),
            fits=({"unobserved_weight": 0.3}, {"unobserved_weight": 0.05}),
            is_quadratic=True,
        ),
        "own_history": Family(
            fit=fit_own_history,
            ranker=lambda data, scores, fit, rank: own_history_ranker(data, scores),
            fits=tuple({"half_life": half_life} for half_life in (None, 30.0, 10.0, 3.0, 1.0)),
            has_repeats=True,
        ),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Users of validation and what they took: what was new to them, or all.

    Attributes:
        keeps_seen: Whether repeats count, and lists may hold them.
        user_idx: Shape (B,).
        row: Shape (R,), whose each relevant item is, as a position in `user_idx`.
        item: Shape (R,), item idx.
        n_items: I.
    """

    user_idx: NDArray[np.int64]
    row: NDArray[np.int64]
    item: NDArray[np.int64]
    n_items: int
    keeps_seen: bool = False

    def ndcg(self, found: Neighbours) -> float:
        """Mean NDCG@10 of the users' lists."""
        hits, n_relevant = find_hits(found.item_idx[:, :_K], self.row, self.item, n_items=self.n_items)
        return float(judge(hits, n_relevant, ks=[_K], metrics=["ndcg"])[f"ndcg@{_K}"].mean())

    def lists(self, ranker: Ranker, *, k: int) -> Neighbours:
        """Lists of the users."""
        size = min(ranker.rows, _BLOCK_USERS)
        parts = [self.user_idx[begin : begin + size] for begin in range(0, len(self.user_idx), size)]
        found = [ranker.rank(part, k, self.keeps_seen) for part in parts]
        return Neighbours(
            item_idx=np.concatenate([each.item_idx for each in found]), score=np.concatenate([each.score for each in found])
        )


def choose_judged(
    data: BaselineData, validation: pl.DataFrame, *, at_most: int, seed: int, keeps_seen: bool = False
) -> Judged | None:
    """Who can be judged on validation: users whom train knows, with an item of train; None if there is nobody.

    Args:
        data: Of train alone.
        validation: user_id, item_id.
        at_most: A random choice of so many users if there are more.
        seed: Of that choice.
        keeps_seen: Whether repeats count; else items must be new to the user.
    """
    pairs = (
        validation.select(USER_ID, ITEM_ID)
        .unique()
        .join(data.users.frame(id_column=USER_ID, idx_column=USER_IDX), on=USER_ID)
        .join(data.items.frame(id_column=ITEM_ID, idx_column=ITEM_IDX), on=ITEM_ID)
        .select(pl.col(USER_IDX, ITEM_IDX).cast(pl.Int64))
        .sort(USER_IDX, ITEM_IDX)
        .to_numpy()
    )
    taken = np.repeat(np.arange(len(data.users)), np.diff(data.history.indptr)) * np.int64(data.n_items) + data.history.indices
    if not keeps_seen:
        pairs = pairs[~np.isin(pairs[:, 0] * data.n_items + pairs[:, 1], taken)]
    user_idx = np.unique(pairs[:, 0])
    if not len(user_idx):
        return None
    if len(user_idx) > at_most:
        user_idx = np.sort(rng_for(seed, "users that baselines are chosen by").choice(user_idx, at_most, replace=False))
    pairs = pairs[np.isin(pairs[:, 0], user_idx)]
    row = np.searchsorted(user_idx, pairs[:, 0])
    return Judged(user_idx=user_idx, row=row, item=pairs[:, 1], n_items=data.n_items, keeps_seen=keeps_seen)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The settings of one baseline.

    Attributes:
        variant: The chosen ones.
        ndcg: Mean NDCG@10 on validation; None where nobody could be judged.
        tried: Each variant with its figure.
        lists: The lists of the users judged.
    """

    variant: Variant
    ndcg: float | None
    tried: Sequence[tuple[Variant, float]]
    lists: Neighbours | None


def choose(family: Family, data: BaselineData, judged: Mapping[Scope, Judged | None]) -> dict[Scope, Choice]:
    """Fit every variant on train, and take for each scope the one with the best lists; the first where nobody is judged.

    Args:
        family: The baseline.
        data: Of train alone.
        judged: By whom, for each scope.
    """
    first = {**family.fits[0], **family.ranks[0]}
    tried: dict[Scope, list[tuple[Variant, float]]] = {scope: [] for scope in judged}
    best: dict[Scope, Neighbours | None] = dict.fromkeys(judged)
    asked = {scope: users for scope, users in judged.items() if users is not None}
    for fit in family.fits if asked else ():
        model = family.fit(data, **fit)
        for rank in family.ranks:
            ranker = family.ranker(data, model, fit, rank)
            for scope, users in asked.items():
                found = users.lists(ranker, k=min(DEPTH, data.n_items))
                figure = users.ndcg(found)
                if all(figure > value for _, value in tried[scope]):
                    best[scope] = found
                tried[scope].append(({**fit, **rank}, figure))
    chosen = {}
    for scope, rows in tried.items():
        variant, value = max(rows, key=lambda row: row[1]) if rows else (first, None)
        chosen[scope] = Choice(variant=variant, ndcg=value, tried=rows, lists=best[scope])
    return chosen
