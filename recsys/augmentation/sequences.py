"""Padded histories as the operators take and give them."""

from dataclasses import dataclass

import torch

from recsys.sampling.batches import UNKNOWN_TIME, Batch

MASKED = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequences:
    """Histories of equal padded length, right-padded.

    Attributes:
        item_idx: Shape (B, L) int64; `MASKED` where the item is hidden, 0 in the padding.
        time: Shape (B, L) int64, seconds from any moment on, never falling along a history, 0 in the padding; None if no
            times are known.
        length: Shape (B,) int64, from 0.
    """

    item_idx: torch.Tensor
    time: torch.Tensor | None
    length: torch.Tensor

    @property
    def inside(self) -> torch.Tensor:
        """Which positions are no padding. Shape (B, L) bool."""
        steps = torch.arange(self.item_idx.shape[1], device=self.item_idx.device)
        return steps[None, :] < self.length[:, None]  # (B, L)

    def rows(self, row: torch.Tensor) -> "Sequences":
        """Some of them, by the numbers of their rows."""
        time = None if self.time is None else self.time.index_select(0, row)  # (R, L)
        return Sequences(item_idx=self.item_idx.index_select(0, row), time=time, length=self.length.index_select(0, row))

    def take(self, position: torch.Tensor, *, length: torch.Tensor) -> "Sequences":
        """Histories put together from positions of these.

        Args:
            position: Shape (B, M) int64, where each event comes from; what lies behind `length` is ignored.
            length: Shape (B,) int64, of the new histories.
        """
        position = position.clamp(min=0, max=self.item_idx.shape[1] - 1)  # (B, M)
        is_padding = torch.arange(position.shape[1], device=position.device)[None, :] >= length[:, None]  # (B, M)
        item_idx = self.item_idx.gather(1, position).masked_fill_(is_padding, 0)  # (B, M)
        time = None if self.time is None else self.time.gather(1, position).masked_fill_(is_padding, 0)  # (B, M)
        return Sequences(item_idx=item_idx, time=time, length=length)


def read_sequences(batch: Batch) -> Sequences:
    """The histories of a batch; times count from each one's first event."""
    gap = batch.gap.clamp(min=0)  # (B, L)
    sequences = Sequences(item_idx=batch.item_idx, time=None, length=batch.length)
    if bool((batch.gap == UNKNOWN_TIME).all()):
        return sequences
    gap[:, 0] = 0
    time = gap.cumsum(1).masked_fill_(~sequences.inside, 0)  # (B, L)
    return Sequences(item_idx=batch.item_idx, time=time, length=batch.length)


def build_view(sequences: Sequences, user_idx: torch.Tensor) -> Batch:
    """Sequences as a batch without targets: gaps anew from their times, unknown before the first event and to the request.

    Args:
        sequences: B histories.
        user_idx: Shape (B,) int64.
    """
    widest = max(1, int(sequences.length.max())) if len(sequences.length) else 1
    item_idx = sequences.item_idx[:, :widest]  # (B, M)
    unknown = torch.full_like(item_idx, UNKNOWN_TIME)  # (B, M)
    gap = unknown
    if sequences.time is not None:
        gap = unknown.clone()
        time = sequences.time[:, :widest]  # (B, M)
        inside = sequences.inside[:, 1:widest]  # (B, M - 1)
        gap[:, 1:] = torch.where(inside, time[:, 1:] - time[:, :-1], UNKNOWN_TIME)
    return Batch(
        user_idx=user_idx, item_idx=item_idx, gap=gap, request_gap=unknown, target_idx=unknown, length=sequences.length
    )
