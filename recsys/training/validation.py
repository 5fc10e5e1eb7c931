"""How a model that is being trained ranks held-out events: the whole catalogue, seen items removed, by the one judge."""

import numpy as np
import torch
from numpy.typing import NDArray

from recsys.core.arrays import distinct
from recsys.core.random import rng_for
from recsys.index.exact import ExactIndex
from recsys.index.filters import Ints, SeenItems
from recsys.inference.embedding import embed_items, embed_users
from recsys.metrics.judge import find_hits, judge
from recsys.models.two_tower import TwoTower
from recsys.sampling.batches import HeldOut, Histories

_K = 10
_BATCH_TOKENS = 16_384


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
    starts, ends = np.asarray(histories.offsets[user_idx]), np.asarray(histories.train_end[user_idx])
    seen = SeenItems(item_idx=histories.item_idx, starts=starts, ends=ends)
    relevant = SeenItems(item_idx=histories.item_idx, starts=ends, ends=histories.offsets[user_idx + 1])
    row, item = _new_pairs(relevant, seen, n_items=model.spec.n_items)
    found = judge_model(
        model,
        histories,
        user_idx,
        row,
        item,
        held_out="validation",
        seen=seen,
        batch_tokens=batch_tokens,
        device=device,
        dtype=dtype,
    )
    is_judged = np.bincount(row, minlength=len(user_idx)) > 0
    return float(found["ndcg"][is_judged].mean()) if is_judged.any() else None


def judge_model(
    model: TwoTower,
    histories: Histories,
    user_idx: NDArray[np.integer],
    row: Ints,
    item: Ints,
    *,
    held_out: HeldOut,
    seen: SeenItems,
    device: torch.device,
    dtype: torch.dtype,
    batch_tokens: int = _BATCH_TOKENS,
    k: int = _K,
) -> dict[str, NDArray[np.float64]]:
    """Hit rate and NDCG at k of each of some requests.

    Args:
        model: Both towers, on `device`.
        histories: All users.
        user_idx: Shape (B,), who asks; a user may ask more than once.
        row: Shape (R,), to which request each relevant item belongs.
        item: Shape (R,), the relevant items; one that train does not know has any number from I on, and is a miss.
        held_out: Which events are not read, see `request_batches`.
        seen: What is left out of each of the B lists.
        device: Where.
        dtype: Of the products.
        batch_tokens: Padded events of a batch.
        k: Length of the lists.

    Returns:
        `hr` and `ndcg`, shape (B,) each.
    """
    queries = embed_users(model, histories, user_idx, held_out=held_out, batch_tokens=batch_tokens, device=device, dtype=dtype)
    items = embed_items(model, device=device, dtype=dtype)
    found = ExactIndex(items, device=str(device)).search(queries, k=k, seen=seen)
    hits, n_relevant = find_hits(found.item_idx, row, item)
    found_at = judge(hits, n_relevant, ks=[k], metrics=("hr", "ndcg"))
    return {name.partition("@")[0]: values for name, values in found_at.items()}


def judge_test(
    model: TwoTower,
    histories: Histories,
    user_idx: NDArray[np.integer],
    item: NDArray[np.integer],
    *,
    device: torch.device,
    dtype: torch.dtype,
    k: int = _K,
) -> dict[str, NDArray[np.float64]]:
    """Hit rate and NDCG at k of held-out test events, one a request, asked at the time of the request where that is known.

    Args:
        model: Both towers, on `device`.
        histories: All users.
        user_idx: Shape (E,), whose each event is.
        item: Shape (E,), its item; -1 for one that train does not know, which is a miss.
        device: Where.
        dtype: Of the products.
        k: Length of the lists.

    Returns:
        `hr` and `ndcg`, shape (E,) each.
    """
    known = np.where(item < 0, model.spec.n_items, item)
    seen = SeenItems(
        item_idx=histories.item_idx, starts=histories.offsets[user_idx], ends=histories.offsets[np.asarray(user_idx) + 1]
    )
    return judge_model(
        model, histories, user_idx, np.arange(len(known)), known, held_out="test", seen=seen, device=device, dtype=dtype, k=k
    )


def _new_pairs(relevant: SeenItems, seen: SeenItems, *, n_items: int) -> tuple[Ints, Ints]:
    """Rows and items that are relevant and were not seen before; repeats count once."""
    wanted, known = (distinct(row * np.int64(n_items) + item) for row, item in (relevant.pairs(), seen.pairs()))
    new = wanted[~np.isin(wanted, known, assume_unique=True, kind="sort")]
    return new // n_items, new % n_items
