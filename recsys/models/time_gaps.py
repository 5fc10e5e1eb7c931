"""Time as an input: gaps in seconds become one of 34 buckets on a log2 scale, each with an embedding."""

from dataclasses import dataclass

import torch
from torch import nn

N_BUCKETS = 34


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTimes:
    """What is known of the times of histories.

    Attributes:
        gap: Shape (B, L) int64, seconds since the previous event; -1 if unknown.
        request_gap: Shape (B, L) int64, seconds from the event to the moment its prefix is asked about; -1 if unknown.
    """

    gap: torch.Tensor
    request_gap: torch.Tensor

    def since_events(self) -> torch.Tensor:
        """Seconds from each event to the moment each prefix is asked about, or to its last event if that is unknown.

        Returns:
            Shape (B, L, L): entry [i, j] is from event j to the request behind event i; negative above the diagonal.
        """
        elapsed = self.gap.clamp(min=0).cumsum(1)  # (B, L)
        asked = elapsed + self.request_gap.clamp(min=0)  # (B, L)
        return asked[:, :, None] - elapsed[:, None, :]  # (B, L, L)


def gap_bucket(gap: torch.Tensor) -> torch.Tensor:
    """Bucket a gap: 0 is unknown (negative), 1 is under one second, then one bucket a doubling.

    Args:
        gap: Any shape, integer seconds; negative means unknown.

    Returns:
        The same shape, int64 in [0, 34).

    >>> gap_bucket(torch.tensor([-1, 0, 1, 3, 86400])).tolist()
    [0, 1, 2, 3, 17]
    """
    bucket = torch.log2(gap.clamp(min=0).double() + 1).floor().long() + 1
    return torch.where(gap < 0, 0, bucket.clamp(max=N_BUCKETS - 1))


def hide_requests(times: EventTimes, *, chance: float) -> EventTimes:
    """Forget each request gap with some chance, so that one model learns to answer with and without it."""
    hidden = torch.rand(times.request_gap.shape, device=times.request_gap.device) < chance  # (B, L)
    return EventTimes(gap=times.gap, request_gap=times.request_gap.masked_fill(hidden, -1))


class TimeGaps(nn.Module):
    """An embedding of the gap to the previous event plus one of the gap to the request.

    Args:
        dim: Size of the embeddings.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.previous = nn.Embedding(N_BUCKETS, dim)
        self.request = nn.Embedding(N_BUCKETS, dim)
        for table in (self.previous, self.request):
            nn.init.normal_(table.weight, std=0.02)

    def forward(self, times: EventTimes) -> torch.Tensor:
        """Shape (B, L, D)."""
        vectors: torch.Tensor = self.previous(gap_bucket(times.gap)) + self.request(gap_bucket(times.request_gap))
        return vectors  # (B, L, D)
