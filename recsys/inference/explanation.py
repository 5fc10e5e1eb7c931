"""Why an item: what its score would be without each item of the history, by the towers themselves."""

import dataclasses

import numpy as np
import torch
from numpy.typing import NDArray

from recsys.inference.embedding import encode_last
from recsys.models.two_tower import TwoTower
from recsys.sampling.batches import Histories, request_batches

_BATCH_TOKENS = 16_384


@torch.inference_mode()
def score_without(
    model: TwoTower, histories: Histories, *, user_idx: int, item_idx: int
) -> tuple[float, NDArray[np.int64], NDArray[np.float64]]:
    """Score one item for one user, and again without each item of the history that the model reads, all its events together.

    Args:
        model: The towers, on the CPU.
        histories: All histories.
        user_idx: The user.
        item_idx: The item.

    Returns:
        The score; the items of the history, shape (N,), last seen first; and the score without each, shape (N,), which is 0
        where nothing is left.
    """
    model.eval()
    events = np.arange(int(histories.offsets[user_idx]), int(histories.offsets[user_idx + 1]))
    seen = np.asarray(histories.item_idx[events])
    recent = seen[::-1][: model.spec.history_length]
    items = recent[np.sort(np.unique(recent, return_index=True)[1])].astype(np.int64)
    variants = [events, *(events[seen != gone] for gone in items)]
    variants = [kept for kept in variants if len(kept)]
    scores = np.zeros(1 + len(items))
    item = model.encode_items(torch.tensor([item_idx]))[0]  # (D,)
    batches = request_batches(
        _repeat(histories, user_idx, variants),
        np.arange(len(variants)),
        history_length=model.spec.history_length,
        batch_tokens=_BATCH_TOKENS,
        use_time=model.spec.use_time,
        held_out="test",
    )
    for rows, batch in batches:
        of_user = dataclasses.replace(batch, user_idx=torch.full_like(batch.user_idx, user_idx))
        scores[rows] = (encode_last(model, of_user) @ item).numpy()
    return float(scores[0]), items, scores[1:]


def _repeat(histories: Histories, user_idx: int, variants: list[NDArray[np.int64]]) -> Histories:
    """One user many times over, each time with the events at other positions."""
    flat, n = np.concatenate(variants), len(variants)
    offsets = np.cumsum([0, *map(len, variants)])
    return Histories(
        item_idx=histories.item_idx[flat],
        timestamp=histories.timestamp[flat],
        offsets=offsets,
        train_end=offsets[1:],
        validation_time=np.repeat(histories.validation_time[user_idx], n),
        request_time=np.repeat(histories.request_time[user_idx], n),
        moment=None if histories.moment is None else histories.moment[flat],
    )
