"""Every baseline but the blend, with its grid of settings."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsys.baselines.als import als_ranker, fit_als
from recsys.baselines.co_visitation import co_visitation_ranker, fit_co_visitation
from recsys.baselines.ease import ease_ranker, fit_ease
from recsys.baselines.facts import BaselineName
from recsys.baselines.fitted import ByOrder
from recsys.baselines.item_knn import fit_item_knn, item_knn_ranker
from recsys.baselines.own_history import fit_own_history, own_history_ranker
from recsys.baselines.popularity import popularity_scores, recent_popularity_scores
from recsys.baselines.random import random_ranker
from recsys.baselines.ranking import Ranker, rank_by
from recsys.baselines.train_matrix import BaselineData
from recsys.splits.facts import Scope

Variant = Mapping[str, Any]
_MANY_ITEMS = 6_000


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
        "popularity": Family(
            fit=popularity_scores, ranker=lambda data, scores, fit, rank: rank_by(data.taken, ByOrder(scores=scores))
        ),
        "recent_popularity": Family(
            fit=recent_popularity_scores,
            ranker=_in_order,
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


def _in_order(data: BaselineData, scores: NDArray[np.float64], fit: Variant, rank: Variant) -> Ranker:
    return rank_by(data.taken, ByOrder(scores=scores))
