"""What one training step minimises: the sum of the terms that a run asks for."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from recsys.core.knobs import take
from recsys.models.momentum import MomentumTowers
from recsys.models.two_tower import TwoTower
from recsys.objectives.barlow_twins import BarlowTwins
from recsys.objectives.draw import Draw
from recsys.objectives.encoded_items import encode_items
from recsys.objectives.item_views import ItemViewContrast
from recsys.objectives.key_queue import QueueSettings
from recsys.objectives.next_item import NextItem, is_full
from recsys.objectives.same_target import SameTarget
from recsys.objectives.term import Context, Part, Term, TermKind
from recsys.objectives.texts import Texts
from recsys.objectives.view_pairs import items_of
from recsys.objectives.views import Views
from recsys.objectives.workers import Workers
from recsys.sampling.batches import Batch, Histories

TERMS: tuple[type[TermKind], ...] = (SameTarget, NextItem, Views, ItemViewContrast, Texts, BarlowTwins)


class Objective:
    """The terms of a run, and the towers that fill their queues.

    Args:
        values: All settings by name; `has_labels` says whether next items are learned.
        model: Both towers; with a queue, slow copies of them are kept here.
        histories: All users; similar items are fitted on their train events where a term needs them.
        log_popularity: Shape (I,), log of each item's share of train events.
        device: Where the loss is computed.
        texts: Shape (I, C, T); None where no texts are read.

    Raises:
        ConfigError: A term is asked for, and the data lack what it needs.
    """

    def __init__(
        self,
        values: Mapping[str, Any],
        *,
        model: TwoTower,
        histories: Histories,
        log_popularity: NDArray[np.float32],
        device: torch.device,
        texts: NDArray[np.float32] | None = None,
    ) -> None:
        self.is_full, self.device, self._values = is_full(values, n_items=len(log_popularity)), device, values
        context = Context(
            values=values,
            model=model,
            histories=histories,
            log_popularity=log_popularity,
            device=device,
            texts=texts,
            is_full=self.is_full,
        )
        built = {kind.name: kind.build(context) for kind in TERMS}
        self.terms: dict[str, Term] = {name: term for name, term in built.items() if term is not None}
        for tower in (model.content_tower, None if Texts.name in self.terms else model.text_tower):
            if tower is not None:
                tower.requires_grad_(False)  # they learn when the items stand still
        self.queues = {name: term.queue for name, term in self.terms.items() if term.queue is not None}
        self.momentum: MomentumTowers | None = None
        if self.queues:
            keys = take(QueueSettings, values)
            self.momentum = MomentumTowers(model, momentum=keys.momentum, shares_ids=not self.is_full)

    def in_words(self) -> str:
        """The terms, for people: the softmax first."""
        ordered = sorted(self.terms, key=lambda name: name != NextItem.name)
        named = [(self.terms[name].weight, self.terms[name].in_words()) for name in ordered]
        text = " + ".join(words if weight == 1 else f"{weight:g} × {words}" for weight, words in named)
        return text + (f", a queue of {self._values['queue_size']:,} keys" if self.queues else "")

    def draw(self, whole: Batch, *, rng: np.random.Generator) -> Draw:
        """Make the random choices of all terms for a batch."""
        drawn = {name: term.draw(whole, rng=rng) for name, term in self.terms.items()}
        terms = {name: each for name, each in drawn.items() if each is not None}
        positives, distinct = whole.target_idx[whole.target_idx >= 0], None  # (T,)
        if not self.is_full:
            known = [items_of(whole), positives, *(item_idx for each in terms.values() for item_idx in each.items())]
            distinct = torch.cat(known).unique()  # type: ignore[no-untyped-call]  # (M,)
        return Draw(n_rows=len(whole.length), n_targets=len(positives), terms=terms, distinct=distinct)

    def loss(self, model: TwoTower, batch: Batch, draw: Draw, *, workers: Workers) -> torch.Tensor:
        """This part's share of the loss: the shares of all parts and processes add up to the mean over the whole batch.

        Contrast reaches over all processes, but not over parts that are worked off one after the other. Nothing but the keys
        of the draw is changed.

        Args:
            model: Both towers.
            batch: Some rows of the batch; there may be none.
            draw: The draw for the same rows; the keys that are to join queues are noted there.
            workers: Contrast reaches over all of them.

        Returns:
            Shape ().
        """
        part = Part(
            model=model,
            batch=batch,
            items=encode_items(model, draw.distinct, device=self.device),
            n_rows=draw.n_rows,
            n_targets=draw.n_targets,
            workers=workers,
            momentum=self.momentum,
            keys=draw.keys,
        )
        total = torch.zeros((), device=batch.target_idx.device, requires_grad=True)
        for name, term in self.terms.items():
            total = total + term.weight * term.loss(part, draw.terms.get(name))
        return total

    def start_step(self, model: TwoTower) -> None:
        """The momentum towers follow the model."""
        if self.momentum is not None:
            self.momentum.follow(model)

    def end_step(self, draw: Draw) -> None:
        """The keys that a loss noted join their queues."""
        for name, (vectors, idx) in draw.keys.items():
            self.queues[name].push(vectors, idx)

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
