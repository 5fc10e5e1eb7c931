"""The cheap encoder: the mean of what was seen so far, and one feed-forward layer."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.functional import gelu

from recsys.core.knobs import knob
from recsys.models.dropout import FastDropout
from recsys.models.encoders.protocol import EncoderShape
from recsys.models.time_gaps import EventTimes


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanPoolingSettings:
    """Settings of mean pooling."""

    feedforward_factor: int = knob(2, "Width of the feed-forward layers over dim.", at_least=1, at_most=16)
    dropout: float = knob(0.2, "Share of the entries that dropout hides, on the output of each layer.", at_least=0, below=1)

    def check(self, shape: EncoderShape) -> None:
        """See `EncoderSettings.check`; every shape fits."""

    def build(self, shape: EncoderShape) -> "MeanPoolingEncoder":
        """See `EncoderSettings.build`."""
        return MeanPoolingEncoder(shape.dim, feedforward_factor=self.feedforward_factor, dropout=self.dropout)


class MeanPoolingEncoder(nn.Module):
    """Averages each prefix, adds its last event, and passes the sum through a residual feed-forward layer.

    Args:
        dim: D.
        feedforward_factor: Width of the feed-forward layer over D.
        dropout: On its output.

    Source: Covington et al., "Deep Neural Networks for YouTube Recommendations", RecSys 2016, section 3.2.
    """

    def __init__(self, dim: int, *, feedforward_factor: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim, bias=False)
        self.feedforward_in = nn.Linear(dim, feedforward_factor * dim)
        self.feedforward_out = nn.Linear(feedforward_factor * dim, dim)
        self.dropout = FastDropout(dropout)

    def forward(self, history: torch.Tensor, times: EventTimes | None = None) -> torch.Tensor:
        """Encode every prefix. Shape (B, L, D) to (B, L, D); times are in the history's vectors already."""
        counts = torch.arange(1, history.shape[1] + 1, device=history.device)[None, :, None]  # (1, L, 1)
        pooled = history + history.cumsum(1) / counts  # (B, L, D)
        hidden = gelu(self.feedforward_in(self.norm(pooled)))  # (B, L, F)
        encoded: torch.Tensor = pooled + self.dropout(self.feedforward_out(hidden))  # (B, L, D)
        return encoded
