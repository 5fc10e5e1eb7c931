"""NDCG@10 on the validation events, over the whole catalogue with seen items removed."""

import numpy as np
import torch
from numpy.typing import NDArray

from recsys.core.random import rng_for
from recsys.metrics.rank import ndcg
from recsys.models.two_tower import TwoTower
from recsys.retrieval.exact import ExactIndex
from recsys.retrieval.filters import SeenItems
from recsys.sampling.batches import Histories
from recsys.training.embedding import embed_items, embed_users

_K = 10


def choose_validation_users(histories: Histories, *, at_most: int, seed: int) -> NDArray[np.int64]:
    """Users with train and validation events, sorted; a random choice if there are more than `at_most`."""
    ends = np.asarray(histories.train_end)
    users = np.flatnonzero((np.asarray(histories.offsets[1:]) > ends) & (ends > np.asarray(histories.offsets[:-1])))
    if len(users) > at_most:
        users = np.sort(rng_for(seed, "validation users").choice(users, at_most, replace=False))
    return users.astype(np.int64)


def validate(
    model: TwoTower,
    histories: Histories,
    user_idx: NDArray[np.int64],
    *,
    batch_tokens: int,
    device: torch.device,
    dtype: torch.dtype,
) -> float | None:
    """Mean NDCG@10 of the validation users who have a new item there, in [0, 1]; None if there are none."""
    if len(user_idx) == 0:
        return None
    queries = embed_users(
        model, histories, user_idx, held_out="validation", batch_tokens=batch_tokens, device=device, dtype=dtype
    )
    seen = SeenItems(item_idx=histories.item_idx, starts=histories.offsets[user_idx], ends=histories.train_end[user_idx])
    relevant = SeenItems(
        item_idx=histories.item_idx, starts=histories.train_end[user_idx], ends=histories.offsets[user_idx + 1]
    )
    items = embed_items(model, device=device, dtype=dtype)
    found = ExactIndex(items, device=str(device)).search(queries, k=_K, seen=seen)
    keys = np.setdiff1d(_keys(relevant, model.spec.n_items), _keys(seen, model.spec.n_items))
    hits = np.isin(np.arange(len(user_idx))[:, None] * np.int64(model.spec.n_items) + found.item_idx, keys)
    n_relevant = np.bincount(keys // model.spec.n_items, minlength=len(user_idx))
    judged = n_relevant > 0
    if not judged.any():
        return None
    return float(ndcg((hits & (found.item_idx >= 0))[judged], n_relevant[judged], k=_K).mean())


def _keys(items: SeenItems, n_items: int) -> NDArray[np.int64]:
    """One number a (row, item) pair; repeats count once."""
    row, item = items.pairs()
    return np.unique(row * np.int64(n_items) + item)
