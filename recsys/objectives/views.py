"""Contrast between two augmented views of each history, with or without a queue of keys of earlier steps."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch

from recsys.augmentation.compose import AugmentationSettings, Augmenter
from recsys.core.knobs import knob, take
from recsys.losses.nt_xent import nt_xent
from recsys.models.momentum import MomentumTowers
from recsys.objectives.encoded_items import encode_items
from recsys.objectives.key_queue import KeyQueue, QueueSettings
from recsys.objectives.term import Context, Part
from recsys.objectives.view_pairs import ViewPairs, augmenter_of, draw_view_pairs, project_view
from recsys.sampling.batches import Batch


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewSettings:
    """Settings of the contrast between views."""

    view_weight: float = knob(
        0.0, "Weight of the contrast between two augmented views of each history (SimCLR, MoCo); 0 is none.", at_least=0
    )
    view_scale: float = knob(
        10.0, "One over the temperature of the contrast between views, of histories and of items.", above=0, at_most=100
    )


class Views:
    """Views of one history attract each other among the views of all others.

    Args:
        settings: Weight and temperature.
        augmenter: Makes the views.
        queue: Keys of earlier steps, by user, the same in all processes; None without.
        device: Where the loss is computed.
    """

    name: ClassVar[str] = "views"
    settings: ClassVar[type] = ViewSettings

    def __init__(self, settings: ViewSettings, *, augmenter: Augmenter, queue: KeyQueue | None, device: torch.device) -> None:
        self.weight, self.queue, self._augmenter = settings.view_weight, queue, augmenter
        self.scale = torch.tensor(settings.view_scale, device=device)  # ()

    @classmethod
    def build(cls, context: Context) -> "Views | None":
        """See `TermKind.build`."""
        settings = take(ViewSettings, context.values)
        if not settings.view_weight:
            return None
        queue = take(QueueSettings, context.values).build(context.model.spec.dim, context.device)
        return cls(settings, augmenter=augmenter_of(context), queue=queue, device=context.device)

    @staticmethod
    def reads(values: Mapping[str, Any], *, is_full: bool) -> set[str]:
        """See `TermKind.reads`."""
        if not values["view_weight"]:
            return {"view_weight"}
        return {"view_weight", "view_scale"} | AugmentationSettings.reads(values) | QueueSettings.reads(values)

    def in_words(self) -> str:
        """See `Term.in_words`."""
        return "view contrast"

    def draw(self, whole: Batch, *, rng: np.random.Generator) -> ViewPairs:
        """See `Term.draw`."""
        return draw_view_pairs(self._augmenter, whole, rng=rng)

    def loss(self, part: Part, drawn: ViewPairs) -> torch.Tensor:
        """See `Term.loss`. Views of one user are never negatives of each other, be they of another window."""
        first, second = (project_view(part.model, view, part.items) for view in (drawn.first, drawn.second))  # (B, D) each
        mean = self._plain(part, first, second, drawn.owner) if self.queue is None else self._queued(part, first, second, drawn)
        return mean * (len(first) / max(part.n_rows, 1))

    def _plain(self, part: Part, first: torch.Tensor, second: torch.Tensor, owner: torch.Tensor) -> torch.Tensor:
        anchors = torch.cat([first, second])  # (2B, D)
        keys, owners = part.workers.gather(anchors), part.workers.gather(owner)  # (K, D), (K,)
        ignored = owner[:, None] == owners[None, :]  # (2B, K)
        return nt_xent(anchors, torch.cat([second, first]), keys, is_ignored=ignored, scale=self.scale)

    def _queued(self, part: Part, first: torch.Tensor, second: torch.Tensor, drawn: ViewPairs) -> torch.Tensor:
        """The same against keys of the momentum towers, of this batch and of those before."""
        if part.momentum is None or self.queue is None:
            raise ValueError("a queue must have towers that fill it, got none")
        with torch.no_grad():
            first_key, second_key = (_encode_keys(part.momentum, view) for view in (drawn.first, drawn.second))  # (B, D) each
        owner, workers = drawn.owner, part.workers
        keys = workers.gather(torch.cat([first_key, second_key]))  # (K, D)
        owners = workers.gather(owner)  # (K,)
        ignored = owner[:, None] == torch.cat([owners, self.queue.idx])[None, :]  # (2B, K + Q)
        row = torch.arange(part.n_rows, device=owner.device)[workers.share()]  # (B,)
        order = workers.gather(torch.cat([row, row + part.n_rows])).argsort()  # (K,), the same for any number of processes
        part.keys[self.name] = keys[order], owners[order]
        return nt_xent(
            torch.cat([first, second]),
            torch.cat([second_key, first_key]),
            torch.cat([keys, self.queue.vectors]),
            is_ignored=ignored,
            scale=self.scale,
        )


def _encode_keys(momentum: MomentumTowers, view: Batch) -> torch.Tensor:
    distinct = view.item_idx.clamp(min=0).unique()  # type: ignore[no-untyped-call]  # (M,)
    return project_view(momentum.towers, view, encode_items(momentum.towers, distinct, device=distinct.device))
