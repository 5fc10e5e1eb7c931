"""The choice among the settings of a baseline, by what its lists are worth on validation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recsys.baselines.blend import DEPTH
from recsys.baselines.families import Family, Variant
from recsys.baselines.ranking import Ranker
from recsys.baselines.train_matrix import BaselineData
from recsys.core.arrays import distinct
from recsys.core.columns import ITEM_ID, ITEM_IDX, USER_ID, USER_IDX
from recsys.core.random import rng_for
from recsys.index.nearest import Neighbours
from recsys.metrics.judge import find_hits, judge
from recsys.splits.facts import Scope

_K = 10
_BLOCK_USERS = 2048


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
        hits, n_relevant = find_hits(found.item_idx[:, :_K], self.row, self.item)
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
    taken = (
        np.repeat(np.arange(len(data.users)), np.diff(data.taken.history.indptr)) * np.int64(data.n_items)
        + data.taken.history.indices
    )
    if not keeps_seen:
        pairs = pairs[~np.isin(pairs[:, 0] * data.n_items + pairs[:, 1], taken)]
    user_idx = distinct(pairs[:, 0])
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
