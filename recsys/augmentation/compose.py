"""Two views of each history, each by an operator drawn for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, Protocol, get_args

import torch

from recsys.augmentation.crop import crop
from recsys.augmentation.insert import insert
from recsys.augmentation.mask import mask
from recsys.augmentation.reorder import reorder
from recsys.augmentation.sequences import Sequences
from recsys.augmentation.similar_items import SimilarItems, fit_similar_items
from recsys.augmentation.substitute import substitute
from recsys.core.errors import ConfigError
from recsys.core.knobs import knob
from recsys.sampling.batches import Histories

OperatorName = Literal["crop", "mask", "reorder", "substitute", "insert"]
OPERATORS: tuple[OperatorName, ...] = get_args(OperatorName)
_NEED_SIMILAR = frozenset({"substitute", "insert"})
_N_NEIGHBOURS, _WINDOW = 20, 5


class Operator(Protocol):
    """Maps histories to histories."""

    def __call__(self, sequences: Sequences, *, generator: torch.Generator) -> Sequences:
        """One view of each; all that is random comes from the generator."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AugmentationSettings:
    """Which operators make views of histories, and how strong they are."""

    operators: tuple[OperatorName, ...] = knob(OPERATORS, "What makes a view of a history; each view is by one of them.")
    crop_share: float = knob(0.6, "Share of a history's events that crop keeps.", above=0, below=1)
    mask_share: float = knob(0.3, "Share of a history's events that mask hides.", above=0, below=1)
    reorder_share: float = knob(0.6, "Share of a history's events that reorder shuffles.", above=0, below=1)
    substitute_share: float = knob(0.3, "Share of a history's events that substitute replaces.", above=0, below=1)
    insert_share: float = knob(0.3, "Share of a history's events that insert adds to it.", above=0, below=1)

    @staticmethod
    def reads(values: Mapping[str, Any]) -> set[str]:
        """The settings that have an effect for a term that makes views."""
        return {"operators", *(f"{name}_share" for name in values["operators"])}


class Augmenter:
    """Makes views.

    Args:
        settings: The operators to draw from, each as likely, and how strong they are.
        similar: For substitute and insert; None where neither is named.
        most: L, the longest view.

    Raises:
        ConfigError: An operator needs similar items, and there are none.
    """

    def __init__(self, settings: AugmentationSettings, *, similar: SimilarItems | None, most: int) -> None:
        self.names = settings.operators
        self._settings, self._similar, self._most = settings, similar, most
        self._operators = [self._build(name) for name in self.names]

    def _build(self, name: OperatorName) -> Operator:
        share = getattr(self._settings, f"{name}_share")
        match name:
            case "crop":
                return partial(crop, share=share)
            case "mask":
                return partial(mask, share=share)
            case "reorder":
                return partial(reorder, share=share)
        if self._similar is None:
            raise ConfigError(f"the operator {name} must have similar items to choose from, got none; fit them on train")
        if name == "insert":
            return partial(insert, share=share, similar=self._similar, most=self._most)
        return partial(substitute, share=share, similar=self._similar)

    def choose(self, n_rows: int, *, generator: torch.Generator) -> torch.Tensor:
        """Draw an operator for each of some histories, as its position among the names. Shape (B,) int64."""
        return torch.randint(len(self.names), (n_rows,), generator=generator, device=generator.device)

    def apply(self, sequences: Sequences, chosen: torch.Tensor, *, generator: torch.Generator) -> Sequences:
        """One view of each history.

        Args:
            sequences: B histories.
            chosen: Shape (B,) int64, by which operator.
            generator: On their device; the same state gives the same view.
        """
        parts = []
        for number, operator in enumerate(self._operators):
            row = (chosen == number).nonzero()[:, 0]  # (R,)
            if len(row):
                parts.append((row, operator(sequences.rows(row), generator=generator)))
        return _join(sequences, parts)

    def view(self, sequences: Sequences, *, generator: torch.Generator) -> Sequences:
        """One view of each history, by one operator drawn for it."""
        return self.apply(sequences, self.choose(len(sequences.length), generator=generator), generator=generator)

    def two_views(self, sequences: Sequences, *, generator: torch.Generator) -> tuple[Sequences, Sequences]:
        """Two views of each history, drawn independently."""
        return self.view(sequences, generator=generator), self.view(sequences, generator=generator)


def _join(sequences: Sequences, parts: list[tuple[torch.Tensor, Sequences]]) -> Sequences:
    """Put parts of the rows together again, as wide as the widest."""
    n_rows, device = len(sequences.length), sequences.length.device
    width = max([part.item_idx.shape[1] for _, part in parts], default=1)
    item_idx = torch.zeros((n_rows, width), dtype=torch.int64, device=device)  # (B, M)
    time = None if sequences.time is None else torch.zeros_like(item_idx)  # (B, M)
    length = torch.zeros_like(sequences.length)  # (B,)
    for row, part in parts:
        size = part.item_idx.shape[1]
        item_idx[:, :size].index_copy_(0, row, part.item_idx)
        length.index_copy_(0, row, part.length)
        if time is not None and part.time is not None:
            time[:, :size].index_copy_(0, row, part.time)
    return Sequences(item_idx=item_idx, time=time, length=length)


def build_augmenter(settings: AugmentationSettings, histories: Histories, *, n_items: int, most: int) -> Augmenter:
    """Build the operators; what is similar is fitted on train where one of them needs it.

    Args:
        settings: Which operators, and how strong.
        histories: All users; only train events are read.
        n_items: I.
        most: L, the longest view.
    """
    similar = None
    if _NEED_SIMILAR & set(settings.operators):
        neighbours = fit_similar_items(histories, n_items=n_items, n_neighbours=_N_NEIGHBOURS, window=_WINDOW)
        similar = SimilarItems(torch.from_numpy(neighbours))
    return Augmenter(settings, similar=similar, most=most)
