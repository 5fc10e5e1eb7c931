"""First in, first out: the keys of earlier steps as further negatives."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from recsys.core.knobs import knob


class KeyQueue:
    """A ring of vectors, each with the number of what it is a view of.

    Args:
        size: How many keys it holds.
        dim: D.
        device: Where they lie.

    Source: He et al., "MoCo", arXiv:1911.05722, section 3.2.
    """

    def __init__(self, size: int, dim: int, *, device: torch.device) -> None:
        self._vectors = torch.zeros((size, dim), device=device)
        self._idx = torch.full((size,), -1, device=device)
        self._n_pushed = 0

    def __len__(self) -> int:
        return min(self._n_pushed, len(self._idx))

    @property
    def size(self) -> int:
        """How many keys it can hold."""
        return len(self._idx)

    @property
    def vectors(self) -> torch.Tensor:
        """Shape (K, D)."""
        return self._vectors[: len(self)]

    @property
    def idx(self) -> torch.Tensor:
        """Whose they are. Shape (K,) int64."""
        return self._idx[: len(self)]

    @torch.no_grad()
    def push(self, vectors: torch.Tensor, idx: torch.Tensor) -> None:
        """Add keys; the oldest make room, and of more keys than it holds the last stay.

        Args:
            vectors: Shape (N, D).
            idx: Shape (N,) int64.
        """
        size = self.size
        kept = slice(max(0, len(idx) - size), None)
        skipped = len(idx) - len(idx[kept])
        slot = (torch.arange(len(idx[kept]), device=idx.device) + self._n_pushed + skipped) % size  # (N,)
        # New storage: a step that is not worked off backwards yet may still hold the old one.
        self._vectors = self._vectors.index_copy(0, slot, vectors[kept].float())
        self._idx = self._idx.index_copy(0, slot, idx[kept])
        self._n_pushed += len(idx)

    def state(self) -> dict[str, torch.Tensor]:
        """What a checkpoint needs to hold."""
        return {"vectors": self._vectors, "idx": self._idx, "n_pushed": torch.tensor(self._n_pushed)}

    def restore(self, state: dict[str, torch.Tensor]) -> None:
        """Go on from a state."""
        device = self._idx.device
        self._vectors, self._idx = state["vectors"].to(device), state["idx"].to(device)
        self._n_pushed = int(state["n_pushed"])


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSettings:
    """Settings of the queues of keys, one for each term that can use one."""

    queue_size: int = knob(
        0,
        "Keys of earlier steps that are further negatives of views and of the sampled softmax; 0 is none.",
        at_least=0,
        at_most=2**20,
    )
    momentum: float = knob(
        0.99, "Share that the towers which encode keys keep of themselves in each step.", at_least=0, below=1
    )

    def build(self, dim: int, device: torch.device) -> KeyQueue | None:
        """An empty queue; None for a size of 0."""
        return KeyQueue(self.queue_size, dim, device=device) if self.queue_size else None

    @staticmethod
    def reads(values: Mapping[str, Any]) -> set[str]:
        """The settings that have an effect for a term that can use a queue."""
        return {"queue_size", "momentum"} if values["queue_size"] else {"queue_size"}
