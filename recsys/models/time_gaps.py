"""Time as an input: gaps in seconds become one of 34 buckets on a log2 scale, each with an embedding."""

import torch
from torch import nn

N_BUCKETS = 34


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


class TimeGaps(nn.Module):
    """Adds an embedding of the gap to the previous event and of the gap to the request.

    The request gap is dropped at random in training, so that one model answers with and without it.

    Args:
        dim: Size of the embeddings.
        request_drop: Chance that a known request gap is hidden in training.
    """

    def __init__(self, dim: int, request_drop: float) -> None:
        super().__init__()
        self.request_drop = request_drop
        self.previous = nn.Embedding(N_BUCKETS, dim)
        self.request = nn.Embedding(N_BUCKETS, dim)
        for table in (self.previous, self.request):
            nn.init.normal_(table.weight, std=0.02)

    def forward(self, gap: torch.Tensor, request_gap: torch.Tensor) -> torch.Tensor:
        """Shape (B, L) seconds twice to (B, L, D)."""
        request = gap_bucket(request_gap)  # (B, L)
        if self.training and self.request_drop > 0:
            hidden = torch.rand(request.shape, device=request.device) < self.request_drop  # (B, L)
            request = request.masked_fill(hidden, 0)
        vectors: torch.Tensor = self.previous(gap_bucket(gap)) + self.request(request)  # (B, L, D)
        return vectors
