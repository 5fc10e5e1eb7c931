"""What every term of the objective is, and what it is given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from recsys.models.momentum import MomentumTowers
from recsys.models.two_tower import TwoTower
from recsys.objectives.encoded_items import EncodedItems
from recsys.objectives.key_queue import KeyQueue
from recsys.objectives.workers import Workers
from recsys.sampling.batches import Batch, Histories


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What terms are built from.

    Attributes:
        values: All settings by name.
        model: Both towers.
        histories: All users; only train events are read.
        log_popularity: Shape (I,), log of each item's share of train events.
        device: Where losses are computed.
        texts: Shape (I, C, T), text vectors of the items; None where no texts are read.
        is_full: Whether each step encodes all items; else a step names the items that it needs.
    """

    values: Mapping[str, Any]
    model: TwoTower
    histories: Histories
    log_popularity: NDArray[np.float32]
    device: torch.device
    texts: NDArray[np.float32] | None
    is_full: bool


class Drawn(Protocol):
    """What one term drew for a whole batch, the same in all processes."""

    def rows(self, part: slice, device: torch.device) -> "Drawn":
        """The same for some rows of the batch, on their device."""
        ...

    def items(self) -> Sequence[torch.Tensor]:
        """The item idx that its loss looks up, beside those of the batch itself."""
        ...


@dataclass(frozen=True, kw_only=True)
class Part:
    """Some rows of a batch, as a loss sees them.

    Attributes:
        model: Both towers.
        batch: The rows; there may be none.
        items: Vectors of all items that this step needs.
        n_rows: Rows of the whole batch.
        n_targets: Targets of the whole batch.
        workers: The processes that share it.
        momentum: Slow copies of the towers; None without a queue.
        keys: Filled by losses: the keys that join each queue when the step ends, with whose they are.
    """

    model: TwoTower
    batch: Batch
    items: EncodedItems
    n_rows: int
    n_targets: int
    workers: Workers
    momentum: MomentumTowers | None = None
    keys: dict[str, tuple[torch.Tensor, torch.Tensor]] = field(default_factory=dict)

    @cached_property
    def targets(self) -> torch.Tensor:
        """Shape (T,) item idx, in row-major order."""
        return self.batch.target_idx[self.batch.target_idx >= 0]

    @cached_property
    def users(self) -> torch.Tensor:
        """Unit vectors of the prefixes that have a target, in the order of the targets. Shape (T, D)."""
        if not len(self.targets):
            return torch.zeros((0, self.model.spec.dim), device=self.targets.device, requires_grad=True)
        return self.model.encode_prefixes(
            self.items.history(self.batch.item_idx),
            gap=self.batch.gap,
            request_gap=self.batch.request_gap,
            user_idx=self.batch.user_idx,
            is_wanted=self.batch.target_idx >= 0,
            prefix=self.batch.prefix,
        )


class Term(Protocol):
    """One summand of the loss."""

    weight: float
    queue: KeyQueue | None

    def in_words(self) -> str:
        """What it is, for people."""
        ...

    def draw(self, whole: Batch, *, rng: np.random.Generator) -> Drawn | None:
        """Make the random choices of a step; None if this step has nothing for it."""
        ...

    def loss(self, part: Part, drawn: Any) -> torch.Tensor:
        """This part's share: the shares of all parts and processes add up to the term of the whole batch. Shape ()."""
        ...


class TermKind(Term, Protocol):
    """A class of terms, before it is known whether a run has one."""

    name: ClassVar[str]
    settings: ClassVar[type]

    @classmethod
    def build(cls, context: Context) -> Term | None:
        """The term as the settings ask for it; None if they do not.

        Raises:
            ConfigError: It is asked for and the data lack what it needs.
        """
        ...

    @staticmethod
    def reads(values: Mapping[str, Any], *, is_full: bool) -> set[str]:
        """The settings that have an effect beside the others."""
        ...
