"""The next item of each prefix: softmax over the whole catalogue, or against a sample of it."""

import math

import torch

from recsys.losses.false_negatives import same_item
from recsys.losses.sampled_softmax import sampled_softmax
from recsys.losses.softmax import full_softmax
from recsys.models.two_tower import TwoTower
from recsys.sampling.batches import Batch
from recsys.training.encoded_items import EncodedItems
from recsys.training.key_queue import KeyQueue


def encode_prefixes(model: TwoTower, batch: Batch, items: EncodedItems) -> torch.Tensor:
    """Unit vectors of the prefixes that have a target, in row-major order. Shape (T, D)."""
    return model.encode_prefixes(
        items.history(batch.item_idx),
        gap=batch.gap,
        request_gap=batch.request_gap,
        user_idx=batch.user_idx,
        is_wanted=batch.target_idx >= 0,
    )


def full_loss(
    model: TwoTower, batch: Batch, items: EncodedItems, *, offset: torch.Tensor | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean next-item cross-entropy over the whole catalogue, shape (), and the vectors of the prefixes, shape (T, D).

    Args:
        model: Both towers.
        batch: Histories and targets.
        items: All items.
        offset: Shape (I,), at most 0, added to the items' logits.
    """
    users = encode_prefixes(model, batch, items)  # (T, D)
    targets = batch.target_idx[batch.target_idx >= 0]  # (T,)
    return full_softmax(users, items.unit(), targets, scale=model.scale, offset=offset), users


def sampled_loss(
    model: TwoTower,
    batch: Batch,
    items: EncodedItems,
    *,
    negative_idx: torch.Tensor,
    log_expected: torch.Tensor,
    log_popularity: torch.Tensor,
    queue: KeyQueue | None,
    corrects_positive: bool,
    n_hard: int | None,
    offset: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean next-item cross-entropy against shared negatives, shape (), and the vectors of the prefixes, shape (T, D).

    A queue of K keys holds the targets of earlier steps, so an item is expected in it K · p times, beside its expectation in
    the sample; each negative is corrected by the sum.

    Args:
        model: Both towers.
        batch: Histories and targets.
        items: All items of the batch and its negatives.
        negative_idx: Shape (N,) item idx.
        log_expected: Shape (I,), log of how often the sample is expected to hold each item.
        log_popularity: Shape (I,), log of each item's share of targets.
        queue: Keys by the momentum item tower; None if there are none.
        corrects_positive: Whether log-Q corrects the positive too.
        n_hard: Each target is held against so many negatives; None for all.
        offset: Shape (I,), added to the items' logits.
    """
    users = encode_prefixes(model, batch, items)  # (T, D)
    targets = batch.target_idx[batch.target_idx >= 0]  # (T,)
    negatives = items.unit(negative_idx)  # (N, D)
    n_queued = 0 if queue is None else len(queue)

    def log_q(item_idx: torch.Tensor) -> torch.Tensor:
        expected = log_expected[item_idx]
        return torch.logaddexp(expected, log_popularity[item_idx] + math.log(n_queued)) if n_queued else expected

    if queue is not None and n_queued:
        negatives = torch.cat([negatives, queue.vectors])  # (N + K, D)
        negative_idx = torch.cat([negative_idx, queue.idx])  # (N + K,)
    of_negatives = log_q(negative_idx)  # (N + K,)
    of_positives = log_q(targets) if corrects_positive else None  # (T,)
    if offset is not None:
        of_negatives = of_negatives - offset[negative_idx]
        of_positives = (0.0 if of_positives is None else of_positives) - offset[targets]
    loss = sampled_softmax(
        users,
        items.unit(targets),
        negatives,
        log_expected=of_negatives,
        is_false_negative=same_item(targets, negative_idx),
        scale=model.scale,
        positive_log_expected=of_positives,
        n_hard=n_hard,
    )
    return loss, users
