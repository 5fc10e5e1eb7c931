"""What one training step minimises: the next item, and contrast between prefixes, between views and between items."""

import numpy as np
import torch
from numpy.typing import NDArray

from recsys.augmentation.compose import Augmenter
from recsys.augmentation.sequences import build_view, read_sequences
from recsys.core.errors import ConfigError
from recsys.models.momentum import MomentumTowers
from recsys.models.two_tower import TwoTower
from recsys.sampling.batches import Batch
from recsys.sampling.negatives import NegativeCounts, NegativeSampler
from recsys.training.contrast import queued_view_contrast, same_target_contrast, view_contrast
from recsys.training.distributed import Workers
from recsys.training.draw import Draw
from recsys.training.encoded_items import EncodedItems, encode_items
from recsys.training.item_views import draw_item_views, item_view_contrast
from recsys.training.key_queue import KeyQueue
from recsys.training.next_item import full_loss, sampled_loss
from recsys.training.settings import TrainingSettings
from recsys.training.text_term import TextTerm, text_loss

_MOST_ANCHORS = 1024


class Objective:
    """The loss of a step, and the state that some of its terms carry from step to step.

    Args:
        settings: Which loss, its negatives and its added terms.
        model: Both towers; with a queue, slow copies of them are kept here.
        log_popularity: Shape (I,), log of each item's share of train events.
        device: Where the loss is computed.
        augmenter: Makes views of histories; None where they are not contrasted.
        texts: Shape (I, C, T); None where items are not aligned with them.

    Raises:
        ConfigError: Views are asked for, and nothing makes them.
    """

    def __init__(
        self,
        settings: TrainingSettings,
        *,
        model: TwoTower,
        log_popularity: NDArray[np.float32],
        device: torch.device,
        augmenter: Augmenter | None = None,
        texts: NDArray[np.float32] | None = None,
    ) -> None:
        self.settings, self.model, self.device = settings, model, device
        self.is_full = len(log_popularity) <= settings.full_softmax_limit
        counts = NegativeCounts(n_in_batch=settings.n_in_batch, n_uniform=settings.n_uniform, n_popular=settings.n_popular)
        self.sampler = NegativeSampler(log_popularity, counts=counts)
        self.log_expected = torch.from_numpy(self.sampler.log_expected).to(device)  # (I,)
        self.log_popularity = torch.from_numpy(np.array(log_popularity)).to(device)  # (I,)
        offset = -settings.popularity_exponent * self.log_popularity  # (I,)
        self.offset = offset - offset.max() if settings.popularity_exponent else None
        self.augmenter = augmenter
        contrast = settings.contrast
        if contrast.view_weight and augmenter is None:
            raise ConfigError("views must have operators that make them, got none; name some in [train] operators")
        if contrast.text_weight and texts is None:
            raise ConfigError("text_weight must be 0 where no texts are read, got more; set [pairs] search_dim above 0")
        self.text_term = TextTerm(texts) if contrast.text_weight and texts is not None else None
        for tower in (model.content_tower, None if self.text_term else model.text_tower):
            if tower is not None:
                tower.requires_grad_(False)  # they learn when the items stand still
        self.view_scale = torch.tensor(contrast.view_scale, device=device)  # ()
        self.momentum: MomentumTowers | None = None
        self.queues: dict[str, KeyQueue] = {}
        names = [name for name, is_used in self._queue_uses().items() if is_used] if contrast.queue_size else []
        if names:
            self.momentum = MomentumTowers(model, momentum=contrast.momentum, shares_ids=not self.is_full)
            self.queues = {name: KeyQueue(contrast.queue_size, model.spec.dim, device=device) for name in names}

    def _queue_uses(self) -> dict[str, bool]:
        """What a queue is for here: views, and the targets of a sampled softmax."""
        contrast = self.settings.contrast
        return {"views": bool(contrast.view_weight), "items": not self.is_full and bool(contrast.next_item_weight)}

    def in_words(self) -> str:
        """The terms, for people."""
        settings, contrast = self.settings, self.settings.contrast
        softmax = "full softmax" if self.is_full else "sampled softmax"
        if settings.far_share:
            softmax += f", {settings.far_share:.0%} of targets any later event"
        if settings.popularity_exponent:
            softmax += f", for lists by chance times popularity to the power {settings.popularity_exponent:g}"
        terms = {
            softmax: contrast.next_item_weight,
            "same-target contrast": settings.same_target_weight,
            "view contrast": contrast.view_weight,
            "item view contrast": contrast.item_view_weight,
            "text alignment": contrast.text_weight,
        }
        named = [name if weight == 1 else f"{weight:g} × {name}" for name, weight in terms.items() if weight]
        return " + ".join(named) + (f", a queue of {contrast.queue_size:,} keys" if self.queues else "")

    def draw(self, whole: Batch, *, rng: np.random.Generator) -> Draw:
        """Choose negatives, anchors and views for a batch."""
        settings, contrast = self.settings, self.settings.contrast
        is_target = whole.target_idx >= 0  # (B, L)
        positives = whole.target_idx[is_target]  # (T,)
        anchor = torch.full(whole.target_idx.shape, -1)  # (B, L)
        n_anchors = min(_MOST_ANCHORS, len(positives)) if settings.same_target_weight else 0
        if n_anchors:
            chosen = rng.choice(len(positives), n_anchors, replace=False)
            anchor.view(-1)[is_target.flatten().nonzero()[chosen, 0]] = torch.arange(n_anchors)
        samples = not self.is_full and bool(contrast.next_item_weight)
        negative_idx = torch.from_numpy(self.sampler.sample(positives.numpy(), rng=rng)) if samples else None  # (N,)
        queued_idx = None
        if "items" in self.queues:
            n_queued = min(max(settings.n_in_batch, 1), len(positives), contrast.queue_size)
            queued_idx = positives[torch.from_numpy(rng.choice(len(positives), n_queued, replace=False))]  # (Q,)
        views = self._draw_views(whole, rng) if contrast.view_weight else None
        item_views = draw_item_views(self.model, rng=rng) if contrast.item_view_weight else None
        described = None if self.text_term is None else self.text_term.draw(rng=rng)
        distinct = None
        if not self.is_full:
            known = [_items_of(batch) for batch in (whole, *(views or ()))]
            known += [tensor for tensor in (positives, negative_idx) if tensor is not None]
            known += [drawn.item_idx for drawn in (item_views, described) if drawn is not None]
            distinct = torch.cat(known).unique()  # type: ignore[no-untyped-call]  # (M,)
        return Draw(
            n_rows=len(whole.length),
            n_targets=len(positives),
            n_anchors=n_anchors,
            anchor=anchor,
            views=views,
            item_views=item_views,
            described=described,
            negative_idx=negative_idx,
            queued_idx=queued_idx,
            distinct=distinct,
        )

    def _draw_views(self, whole: Batch, rng: np.random.Generator) -> tuple[Batch, Batch]:
        if self.augmenter is None:
            raise ValueError("views must have an augmenter, got none")
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        first, second = self.augmenter.two_views(read_sequences(whole), generator=generator)
        return build_view(first, whole.user_idx), build_view(second, whole.user_idx)

    def loss(self, model: TwoTower, batch: Batch, draw: Draw, *, workers: Workers) -> torch.Tensor:
        """This part's share of the loss: the shares of all parts and processes add up to the mean over the whole batch.

        Contrast reaches over all processes, but not over parts that are worked off one after the other. With a queue, the
        momentum towers first follow the model, and the keys of this step join the queue.

        Args:
            model: Both towers.
            batch: Some rows of the batch; there may be none.
            draw: The draw for the same rows.
            workers: Contrast reaches over all of them.

        Returns:
            Shape ().
        """
        contrast = self.settings.contrast
        if self.momentum is not None:
            self.momentum.follow(model)
        items = encode_items(model, draw.distinct, device=self.device)
        targets = batch.target_idx[batch.target_idx >= 0]  # (T,)
        total = torch.zeros((), device=targets.device, requires_grad=True)
        users = torch.zeros((0, model.spec.dim), device=targets.device, requires_grad=True)
        if len(targets) and contrast.next_item_weight:
            mean, users = self._next_item(model, batch, items, draw)
            total = total + contrast.next_item_weight * mean * (len(targets) / draw.n_targets)
        if draw.n_anchors:
            scale = model.scale.detach()
            same_target = same_target_contrast(
                users, batch, draw.anchor, n_anchors=draw.n_anchors, scale=scale, workers=workers
            )
            total = total + self.settings.same_target_weight * same_target
        if draw.views is not None:
            total = total + contrast.view_weight * self._views(model, draw, items, workers)
        if draw.item_views is not None:
            item_views = item_view_contrast(model, draw.item_views, scale=self.view_scale, workers=workers)
            total = total + contrast.item_view_weight * item_views
        if draw.described is not None:
            # Each process sees all of these items, so each has its share of their loss.
            total = total + contrast.text_weight / workers.n_workers * text_loss(model, items, draw.described)
        if draw.queued_idx is not None and self.momentum is not None:
            with torch.no_grad():
                self.queues["items"].push(self.momentum.towers.encode_items(draw.queued_idx), draw.queued_idx)
        return total

    def _next_item(self, model: TwoTower, batch: Batch, items: EncodedItems, draw: Draw) -> tuple[torch.Tensor, torch.Tensor]:
        if draw.negative_idx is None:
            return full_loss(model, batch, items, offset=self.offset)
        return sampled_loss(
            model,
            batch,
            items,
            negative_idx=draw.negative_idx,
            log_expected=self.log_expected,
            log_popularity=self.log_popularity,
            queue=self.queues.get("items"),
            corrects_positive=self.settings.corrected_positive,
            n_hard=self.settings.n_hard or None,
            offset=self.offset,
        )

    def _views(self, model: TwoTower, draw: Draw, items: EncodedItems, workers: Workers) -> torch.Tensor:
        if draw.views is None:
            raise ValueError("views must be drawn before they are contrasted, got none")
        if self.momentum is None:
            return view_contrast(model, draw.views, items, n_rows=draw.n_rows, scale=self.view_scale, workers=workers)
        return queued_view_contrast(
            model,
            draw.views,
            items,
            momentum=self.momentum,
            queue=self.queues["views"],
            n_rows=draw.n_rows,
            scale=self.view_scale,
            workers=workers,
        )

    def state(self) -> dict[str, torch.Tensor]:
        """What a checkpoint needs to hold beside the model: nothing without a queue."""
        parts = {name: queue.state() for name, queue in self.queues.items()}
        if self.momentum is not None:
            parts["towers"] = self.momentum.state()
        return {f"{part}/{name}": tensor for part, state in parts.items() for name, tensor in state.items()}

    def restore(self, state: dict[str, torch.Tensor]) -> None:
        """Go on from a state."""
        parts: dict[str, dict[str, torch.Tensor]] = {}
        for key, tensor in state.items():
            part, _, name = key.partition("/")
            parts.setdefault(part, {})[name] = tensor
        for name, queue in self.queues.items():
            queue.restore(parts[name])
        if self.momentum is not None:
            self.momentum.restore(parts["towers"])


def _items_of(batch: Batch) -> torch.Tensor:
    inside = torch.arange(batch.item_idx.shape[1]) < batch.length[:, None]  # (B, L)
    return batch.item_idx[inside & (batch.item_idx >= 0)]  # (N,)
