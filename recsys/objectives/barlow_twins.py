"""Redundancy reduction between two augmented views of each history."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch

from recsys.augmentation.compose import AugmentationSettings, Augmenter
from recsys.core.knobs import knob, take
from recsys.losses.barlow_twins import barlow_twins
from recsys.objectives.key_queue import KeyQueue
from recsys.objectives.term import Context, Part
from recsys.objectives.view_pairs import ViewPairs, augmenter_of, draw_view_pairs, project_view
from recsys.sampling.batches import Batch


@dataclass(frozen=True, slots=True, kw_only=True)
class BarlowTwinsSettings:
    """Settings of redundancy reduction."""

    barlow_weight: float = knob(
        0.0, "Weight of redundancy reduction between two augmented views of each history (Barlow Twins); 0 is none.", at_least=0
    )
    redundancy_weight: float = knob(
        0.005, "Weight of the correlations between different dimensions in redundancy reduction.", above=0
    )


class BarlowTwins:
    """Views of one history agree, and dimensions do not repeat each other.

    Args:
        settings: Both weights.
        augmenter: Makes the views.
    """

    name: ClassVar[str] = "barlow_twins"
    settings: ClassVar[type] = BarlowTwinsSettings
    queue: KeyQueue | None = None

    def __init__(self, settings: BarlowTwinsSettings, *, augmenter: Augmenter) -> None:
        self.weight, self._own, self._augmenter = settings.barlow_weight, settings, augmenter

    @classmethod
    def build(cls, context: Context) -> "BarlowTwins | None":
        """See `TermKind.build`."""
        settings = take(BarlowTwinsSettings, context.values)
        return cls(settings, augmenter=augmenter_of(context)) if settings.barlow_weight else None

    @staticmethod
    def reads(values: Mapping[str, Any], *, is_full: bool) -> set[str]:
        """See `TermKind.reads`."""
        if not values["barlow_weight"]:
            return {"barlow_weight"}
        return {"barlow_weight", "redundancy_weight"} | AugmentationSettings.reads(values)

    def in_words(self) -> str:
        """See `Term.in_words`."""
        return "redundancy reduction of views"

    def draw(self, whole: Batch, *, rng: np.random.Generator) -> ViewPairs:
        """See `Term.draw`."""
        return draw_view_pairs(self._augmenter, whole, rng=rng)

    def loss(self, part: Part, drawn: ViewPairs) -> torch.Tensor:
        """See `Term.loss`. Correlations are over the rows of all processes, so each has its share of one loss."""
        first, second = (project_view(part.model, view, part.items) for view in (drawn.first, drawn.second))  # (B, D) each
        gather = part.workers.gather
        loss = barlow_twins(gather(first), gather(second), redundancy_weight=self._own.redundancy_weight)
        return loss / part.workers.n_workers
