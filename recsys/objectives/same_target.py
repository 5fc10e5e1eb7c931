"""Contrast between prefixes that lead to the same item."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch

from recsys.core.knobs import knob, take
from recsys.losses.supervised_contrastive import supervised_contrastive
from recsys.objectives.key_queue import KeyQueue
from recsys.objectives.term import Context, Part
from recsys.sampling.batches import Batch

_MOST_ANCHORS = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class SameTargetSettings:
    """Settings of the contrast between prefixes."""

    same_target_weight: float = knob(
        0.0, "Weight of the contrast between prefixes that lead to the same item, beside the softmax; 0 is none.", at_least=0
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchors:
    """The prefixes that are contrasted with each other.

    Attributes:
        n_anchors: Of the whole batch.
        number: Shape (B, L) int64, the number of each prefix among them; -1 if it is none.
    """

    n_anchors: int
    number: torch.Tensor

    def rows(self, part: slice, device: torch.device) -> "Anchors":
        """See `Drawn.rows`."""
        return Anchors(n_anchors=self.n_anchors, number=self.number[part].to(device))

    def items(self) -> Sequence[torch.Tensor]:
        """See `Drawn.items`."""
        return []


class SameTarget:
    """Prefixes with one target attract each other.

    Args:
        settings: Its weight.
        most_anchors: Prefixes of a step that are contrasted, at most.
    """

    name: ClassVar[str] = "same_target"
    settings: ClassVar[type] = SameTargetSettings
    queue: KeyQueue | None = None

    def __init__(self, settings: SameTargetSettings, *, most_anchors: int = _MOST_ANCHORS) -> None:
        self.weight, self._most_anchors = settings.same_target_weight, most_anchors

    @classmethod
    def build(cls, context: Context) -> "SameTarget | None":
        """See `TermKind.build`."""
        settings = take(SameTargetSettings, context.values)
        return cls(settings) if settings.same_target_weight and context.values["has_labels"] else None

    @staticmethod
    def reads(values: Mapping[str, Any], *, is_full: bool) -> set[str]:
        """See `TermKind.reads`."""
        return {"same_target_weight"}

    def in_words(self) -> str:
        """See `Term.in_words`."""
        return "same-target contrast"

    def draw(self, whole: Batch, *, rng: np.random.Generator) -> Anchors | None:
        """See `Term.draw`."""
        is_target = (whole.target_idx >= 0).flatten()  # (B · L,)
        n_targets = int(is_target.sum())
        n_anchors = min(self._most_anchors, n_targets)
        if not n_anchors:
            return None
        number = torch.full(whole.target_idx.shape, -1)  # (B, L)
        chosen = rng.choice(n_targets, n_anchors, replace=False)
        number.view(-1)[is_target.nonzero()[chosen, 0]] = torch.arange(n_anchors)
        return Anchors(n_anchors=n_anchors, number=number)

    def loss(self, part: Part, drawn: Anchors | None) -> torch.Tensor:
        """See `Term.loss`. Prefixes of one user that lead to different items are neither positive nor negative: they differ by
        a few events.
        """
        if drawn is None:
            return torch.zeros((), device=part.targets.device, requires_grad=True)
        batch, workers = part.batch, part.workers
        owner = batch.user_idx[:, None].expand_as(batch.target_idx)  # (B, L)
        known = torch.stack([drawn.number, batch.target_idx, owner], dim=-1)[batch.target_idx >= 0]  # (T, 3)
        is_anchor = known[:, 0] >= 0  # (T,)
        own, anchors = known[is_anchor], part.users[is_anchor]  # (A, 3), (A, D)
        keys, others = workers.gather(anchors), workers.gather(own)  # (K, D), (K, 3)
        same_anchor, same_target, same_user = (own[:, None, :] == others[None, :, :]).unbind(-1)  # (A, K) each
        loss = supervised_contrastive(
            anchors,
            keys,
            is_positive=same_target & ~same_anchor,
            is_ignored=same_anchor | (same_user & ~same_target),
            scale=part.model.scale.detach(),
        )
        return loss * (len(own) / drawn.n_anchors)
