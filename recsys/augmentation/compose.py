"""Two views of each history, each by an operator drawn for it."""

from dataclasses import dataclass
from functools import partial
from typing import Literal, Protocol, get_args

import torch

from recsys.augmentation.crop import crop
from recsys.augmentation.insert import insert
from recsys.augmentation.mask import mask
from recsys.augmentation.reorder import reorder
from recsys.augmentation.sequences import Sequences
from recsys.augmentation.similar_items import SimilarItems
from recsys.augmentation.substitute import substitute
from recsys.core.errors import ConfigError

OperatorName = Literal["crop", "mask", "reorder", "substitute", "insert"]
OPERATORS: tuple[OperatorName, ...] = get_args(OperatorName)
NEED_SIMILAR = frozenset({"substitute", "insert"})


class Operator(Protocol):
    """Maps histories to histories."""

    def __call__(self, sequences: Sequences, *, generator: torch.Generator) -> Sequences:
        """One view of each; all that is random comes from the generator."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """How strong the operators are: the share of a history that each works on, in (0, 1).

    Attributes:
        crop: What is kept.
        mask: What is hidden.
        reorder: What is shuffled.
        substitute: What is replaced.
        insert: What is added.
    """

    crop: float = 0.6
    mask: float = 0.3
    reorder: float = 0.6
    substitute: float = 0.3
    insert: float = 0.3


class Augmenter:
    """Makes views.

    Args:
        names: The operators to draw from, each as likely.
        shares: How strong they are.
        similar: For substitute and insert; None where neither is named.
        most: L, the longest view.

    Raises:
        ConfigError: An operator needs similar items, and there are none.
    """

    def __init__(self, names: tuple[OperatorName, ...], *, shares: Shares, similar: SimilarItems | None, most: int) -> None:
        self.names = names
        self._shares, self._similar, self._most = shares, similar, most
        self._operators = [self._build(name) for name in names]

    def _build(self, name: OperatorName) -> Operator:
        share = getattr(self._shares, name)
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
        """Draw an operator for each of some histories, as its place among the names. Shape (B,) int64."""
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
