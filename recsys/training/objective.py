"""What one training step minimises: next-item softmax, full or sampled, plus contrast between prefixes."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import embedding, normalize

from recsys.losses.false_negatives import same_item
from recsys.losses.sampled_softmax import sampled_softmax
from recsys.losses.softmax import full_softmax
from recsys.losses.supervised_contrastive import supervised_contrastive
from recsys.models.two_tower import TwoTower
from recsys.sampling.batches import Batch
from recsys.sampling.negatives import NegativeCounts, NegativeSampler
from recsys.training.distributed import Workers
from recsys.training.settings import TrainingSettings

_MOST_ANCHORS = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """What is drawn for one step from its whole batch, the same in all processes.

    Attributes:
        n_targets: Targets of the whole batch.
        n_anchors: Prefixes that are contrasted with each other.
        anchor: Shape (B, L) int64, the number of the prefix among the anchors; -1 if it is none.
        negative_idx: Shape (N,) item idx; None for the full softmax.
        distinct: Shape (M,), sorted item idx of the batch and its negatives; None for the full softmax.
    """

    n_targets: int
    n_anchors: int
    anchor: torch.Tensor
    negative_idx: torch.Tensor | None
    distinct: torch.Tensor | None

    def rows(self, part: slice, device: torch.device) -> "Draw":
        """The draw for some rows of the batch, on their device."""
        moved = [None if tensor is None else tensor.to(device) for tensor in (self.negative_idx, self.distinct)]
        return replace(self, anchor=self.anchor[part].to(device), negative_idx=moved[0], distinct=moved[1])


class Objective:
    """The loss of a step.

    Args:
        settings: Which loss, its negatives and its added terms.
        log_popularity: Shape (I,), log of each item's share of train events.
        device: Where the loss is computed.
    """

    def __init__(self, settings: TrainingSettings, *, log_popularity: NDArray[np.float32], device: torch.device) -> None:
        self.settings = settings
        self.is_full = len(log_popularity) <= settings.full_softmax_limit
        counts = NegativeCounts(n_in_batch=settings.n_in_batch, n_uniform=settings.n_uniform, n_popular=settings.n_popular)
        self.sampler = NegativeSampler(log_popularity, counts=counts)
        self.log_expected = torch.from_numpy(self.sampler.log_expected).to(device)  # (I,)

    def draw(self, whole: Batch, *, rng: np.random.Generator) -> Draw:
        """Choose negatives and anchors for a batch."""
        is_target = whole.target_idx >= 0  # (B, L)
        positives = whole.target_idx[is_target]  # (T,)
        anchor = torch.full(whole.target_idx.shape, -1)  # (B, L)
        n_anchors = min(_MOST_ANCHORS, len(positives)) if self.settings.same_target_weight else 0
        if n_anchors:
            chosen = rng.choice(len(positives), n_anchors, replace=False)
            anchor.view(-1)[is_target.flatten().nonzero()[chosen, 0]] = torch.arange(n_anchors)
        negative_idx = distinct = None
        if not self.is_full:
            negative_idx = torch.from_numpy(self.sampler.sample(positives.numpy(), rng=rng))  # (N,)
            inside = torch.arange(whole.item_idx.shape[1]) < whole.length[:, None]  # (B, L)
            distinct = torch.cat([whole.item_idx[inside], positives, negative_idx]).unique()  # type: ignore[no-untyped-call]  # (M,)
        return Draw(n_targets=len(positives), n_anchors=n_anchors, anchor=anchor, negative_idx=negative_idx, distinct=distinct)

    def loss(self, model: TwoTower, batch: Batch, draw: Draw, *, workers: Workers) -> torch.Tensor:
        """This part's share of the loss: the shares of all parts and processes add up to the mean over the whole batch.

        Contrast reaches over all processes, but not over parts that are worked off one after the other.

        Args:
            model: Both towers.
            batch: Some rows of the batch; there may be none.
            draw: The draw for the same rows.
            workers: Contrast reaches over all of them.

        Returns:
            Shape ().
        """
        targets = batch.target_idx[batch.target_idx >= 0]  # (T,)
        total = torch.zeros((), device=targets.device, requires_grad=True)
        users = torch.zeros((0, model.spec.dim), device=targets.device, requires_grad=True)
        if len(targets):
            mean, users = full_loss(model, batch) if self.is_full else self._sampled_loss(model, batch, draw)
            total = total + mean * (len(targets) / draw.n_targets)
        if draw.n_anchors:
            contrast = same_target_contrast(users, batch, draw, scale=model.scale.detach(), workers=workers)
            total = total + self.settings.same_target_weight * contrast
        return total

    def _sampled_loss(self, model: TwoTower, batch: Batch, draw: Draw) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean next-item cross-entropy against shared negatives; only the items of the batch are encoded."""
        if draw.distinct is None or draw.negative_idx is None:
            raise ValueError("a sampled loss must have negatives, got a draw without")
        vectors = model.item_tower(draw.distinct)  # (M, D)
        unit = normalize(vectors.float(), dim=-1)  # (M, D)
        history = embedding(torch.searchsorted(draw.distinct, batch.item_idx), vectors)  # (B, L, D)
        users, targets = _encode_targets(model, batch, history)
        loss = sampled_softmax(
            users,
            unit[torch.searchsorted(draw.distinct, targets)],
            unit[torch.searchsorted(draw.distinct, draw.negative_idx)],
            log_expected=self.log_expected[draw.negative_idx],
            is_false_negative=same_item(targets, draw.negative_idx),
            scale=model.scale,
            positive_log_expected=self.log_expected[targets] if self.settings.corrected_positive else None,
            n_hard=self.settings.n_hard or None,
        )
        return loss, users


def full_loss(model: TwoTower, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean next-item cross-entropy over the whole catalogue, shape (), and the vectors of the prefixes, shape (T, D)."""
    all_items = torch.arange(model.spec.n_items, device=batch.item_idx.device)
    vectors = model.item_tower(all_items)  # (I, D)
    users, targets = _encode_targets(model, batch, embedding(batch.item_idx, vectors))
    return full_softmax(users, normalize(vectors.float(), dim=-1), targets, scale=model.scale), users


def same_target_contrast(
    users: torch.Tensor, batch: Batch, draw: Draw, *, scale: torch.Tensor, workers: Workers
) -> torch.Tensor:
    """These rows' share of the contrast among all anchors, shape ().

    Prefixes of one user that lead to different items are neither positive nor negative: they differ by a few events.

    Args:
        users: Shape (T, D), the vectors of the prefixes that have a target, in row-major order.
        batch: Their histories.
        draw: Which of them are anchors.
        scale: Shape ().
        workers: The anchors of all of them are keys.
    """
    is_target = batch.target_idx >= 0  # (B, L)
    owner = batch.user_idx[:, None].expand_as(batch.target_idx)  # (B, L)
    known = torch.stack([draw.anchor, batch.target_idx, owner], dim=-1)[is_target]  # (T, 3)
    is_anchor = known[:, 0] >= 0  # (T,)
    own, anchors = known[is_anchor], users[is_anchor]  # (A, 3), (A, D)
    keys, others = workers.gather(anchors), workers.gather(own)  # (K, D), (K, 3)
    same_anchor, same_target, same_user = (own[:, None, :] == others[None, :, :]).unbind(-1)  # (A, K) each
    loss = supervised_contrastive(
        anchors,
        keys,
        is_positive=same_target & ~same_anchor,
        is_ignored=same_anchor | (same_user & ~same_target),
        scale=scale,
    )
    return loss * (len(own) / draw.n_anchors)


def _encode_targets(model: TwoTower, batch: Batch, history: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    is_target = batch.target_idx >= 0  # (B, L)
    users = model.encode_prefixes(
        history, gap=batch.gap, request_gap=batch.request_gap, user_idx=batch.user_idx, is_wanted=is_target
    )  # (T, D)
    return users, batch.target_idx[is_target]
