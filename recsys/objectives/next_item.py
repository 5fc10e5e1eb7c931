"""The next item of each prefix: softmax over the whole catalogue, or against a sample of it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch

from recsys.core.knobs import knob, take
from recsys.losses.false_negatives import same_item
from recsys.losses.sampled_softmax import sampled_softmax
from recsys.losses.softmax import full_softmax
from recsys.objectives.key_queue import KeyQueue, QueueSettings
from recsys.objectives.term import Context, Part
from recsys.sampling.batches import Batch
from recsys.sampling.negatives import NegativeCounts, NegativeSampler


@dataclass(frozen=True, slots=True, kw_only=True)
class NextItemSettings:
    """Settings of the softmax over next items."""

    full_softmax_limit: int = knob(
        50_000, "Catalogues up to so many items get the full softmax, larger ones a corrected sample.", at_least=0
    )
    n_uniform: int = knob(512, "Negatives of a step drawn from all items alike, for the sampled softmax.", at_least=1)
    n_in_batch: int = knob(512, "Negatives drawn from the targets of the batch, for the sampled softmax.", at_least=0)
    n_popular: int = knob(0, "Negatives drawn by popularity, for the sampled softmax.", at_least=0)
    n_hard: int = knob(0, "How many of the sampled negatives, the hardest, each target is held against; 0 is all.", at_least=0)
    corrected_positive: bool = knob(
        False, "Whether log-Q corrects the positive too (the form of 2019), in the sampled softmax."
    )
    popularity_exponent: float = knob(
        0.0,
        "Lists go by an item's chance times its popularity to this power; above 0 suits long horizons, below 0 rare items.",
        at_least=-1,
        at_most=4,
    )


_OF_THE_SAMPLE = {"n_uniform", "n_in_batch", "n_popular", "n_hard", "corrected_positive"}


def is_full(values: Mapping[str, Any], *, n_items: int) -> bool:
    """Whether the catalogue is small enough for the full softmax."""
    return n_items <= int(values["full_softmax_limit"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Negatives:
    """What is drawn for a sampled softmax.

    Attributes:
        item_idx: Shape (N,) item idx of the negatives.
        queued_idx: Shape (Q,) item idx of targets that join the queue; None without one.
    """

    item_idx: torch.Tensor
    queued_idx: torch.Tensor | None

    def rows(self, part: slice, device: torch.device) -> "Negatives":
        """See `Drawn.rows`; all rows share them."""
        queued = None if self.queued_idx is None else self.queued_idx.to(device)
        return Negatives(item_idx=self.item_idx.to(device), queued_idx=queued)

    def items(self) -> Sequence[torch.Tensor]:
        """See `Drawn.items`."""
        return [self.item_idx]


class NextItem:
    """The softmax, with what it needs of the catalogue.

    Args:
        settings: The negatives, and what lists go by.
        context: The catalogue.
    """

    name: ClassVar[str] = "next_item"
    settings: ClassVar[type] = NextItemSettings
    weight = 1.0

    def __init__(self, settings: NextItemSettings, context: Context) -> None:
        self.own, self.is_full = settings, context.is_full
        self._far_share: float = context.values["far_share"]
        counts = NegativeCounts(n_in_batch=settings.n_in_batch, n_uniform=settings.n_uniform, n_popular=settings.n_popular)
        self.sampler = NegativeSampler(context.log_popularity, counts=counts)
        self.log_expected = torch.from_numpy(self.sampler.log_expected).to(context.device)  # (I,)
        self.log_popularity = torch.from_numpy(np.array(context.log_popularity)).to(context.device)  # (I,)
        offset = -settings.popularity_exponent * self.log_popularity  # (I,)
        self.offset = offset - offset.max() if settings.popularity_exponent else None
        keys = take(QueueSettings, context.values)
        self.queue = None if self.is_full else keys.build(context.model.spec.dim, context.device)

    @classmethod
    def build(cls, context: Context) -> "NextItem | None":
        """See `TermKind.build`; a run without labels has none."""
        return cls(take(NextItemSettings, context.values), context) if context.values["has_labels"] else None

    @staticmethod
    def reads(values: Mapping[str, Any], *, is_full: bool) -> set[str]:
        """See `TermKind.reads`."""
        always = {"full_softmax_limit", "popularity_exponent"}
        return always if is_full or not values["has_labels"] else always | _OF_THE_SAMPLE | QueueSettings.reads(values)

    def in_words(self) -> str:
        """See `Term.in_words`."""
        text = "full softmax" if self.is_full else "sampled softmax"
        if self._far_share:
            text += f", {self._far_share:.0%} of targets any later event"
        exponent = self.own.popularity_exponent
        return f"{text}, for lists by chance times popularity to the power {exponent:g}" if exponent else text

    def draw(self, whole: Batch, *, rng: np.random.Generator) -> Negatives | None:
        """See `Term.draw`."""
        if self.is_full:
            return None
        positives = whole.target_idx[whole.target_idx >= 0]  # (T,)
        if not len(positives):
            return Negatives(item_idx=positives, queued_idx=None)
        negative_idx = torch.from_numpy(self.sampler.sample(positives.numpy(), rng=rng))  # (N,)
        queued_idx = None
        if self.queue is not None:
            n_queued = min(max(self.own.n_in_batch, 1), len(positives), self.queue.size)
            queued_idx = positives[torch.from_numpy(rng.choice(len(positives), n_queued, replace=False))]  # (Q,)
        return Negatives(item_idx=negative_idx, queued_idx=queued_idx)

    def loss(self, part: Part, drawn: Negatives | None) -> torch.Tensor:
        """See `Term.loss`."""
        if drawn is not None and drawn.queued_idx is not None and part.momentum is not None:
            with torch.no_grad():
                part.keys[self.name] = part.momentum.towers.encode_items(drawn.queued_idx), drawn.queued_idx
        if not len(part.targets):
            return torch.zeros((), device=part.targets.device, requires_grad=True)
        mean = self._full(part) if drawn is None else self._sampled(part, drawn.item_idx)
        return mean * (len(part.targets) / part.n_targets)

    def _full(self, part: Part) -> torch.Tensor:
        return full_softmax(part.users, part.items.unit(), part.targets, scale=part.model.scale, offset=self.offset)

    def _sampled(self, part: Part, negative_idx: torch.Tensor) -> torch.Tensor:
        """Mean cross-entropy against shared negatives.

        A queue of K keys holds the targets of earlier steps, so an item is expected in it K · p times, beside its expectation
        in the sample; each negative is corrected by the sum.
        """
        targets, negatives = part.targets, part.items.unit(negative_idx)  # (T,), (N, D)
        queue = self.queue
        if queue is not None and len(queue):
            negatives = torch.cat([negatives, queue.vectors])  # (N + K, D)
            negative_idx = torch.cat([negative_idx, queue.idx])  # (N + K,)
        of_negatives = self._log_q(negative_idx, queue)  # (N + K,)
        of_positives = self._log_q(targets, queue) if self.own.corrected_positive else None  # (T,)
        if self.offset is not None:
            of_negatives = of_negatives - self.offset[negative_idx]
            of_positives = (0.0 if of_positives is None else of_positives) - self.offset[targets]
        return sampled_softmax(
            part.users,
            part.items.unit(targets),
            negatives,
            log_expected=of_negatives,
            is_false_negative=same_item(targets, negative_idx),
            scale=part.model.scale,
            positive_log_expected=of_positives,
            n_hard=self.own.n_hard or None,
        )

    def _log_q(self, item_idx: torch.Tensor, queue: KeyQueue | None) -> torch.Tensor:
        expected = self.log_expected[item_idx]
        if queue is None or not len(queue):
            return expected
        return torch.logaddexp(expected, self.log_popularity[item_idx] + math.log(len(queue)))
