"""A gated recurrent encoder: cheap to run event by event, since a user's state is one vector a layer."""

from dataclasses import dataclass

import torch
from torch import nn

from recsys.core.knobs import knob
from recsys.models.dropout import FastDropout
from recsys.models.encoders.protocol import EncoderShape
from recsys.models.time_gaps import EventTimes


@dataclass(frozen=True, slots=True, kw_only=True)
class GatedRecurrentSettings:
    """Settings of the gated recurrent encoder."""

    n_blocks: int = knob(2, "Blocks of the history encoder.", at_least=1, at_most=64)
    dropout: float = knob(0.2, "Share of the entries that dropout hides, on the output of each layer.", at_least=0, below=1)

    def check(self, shape: EncoderShape) -> None:
        """See `EncoderSettings.check`; every shape fits."""

    def build(self, shape: EncoderShape) -> "GatedRecurrentEncoder":
        """See `EncoderSettings.build`."""
        return GatedRecurrentEncoder(shape.dim, n_blocks=self.n_blocks, dropout=self.dropout)


class GatedRecurrentEncoder(nn.Module):
    """Layers of gated recurrent units, each around a residual connection.

    A unit reads a history from its first event on, so position t depends on positions up to t only.

    Args:
        dim: D.
        n_blocks: Layers.
        dropout: On the output of each layer.

    Source: Hidasi et al., "Session-based Recommendations with Recurrent Neural Networks", arXiv:1511.06939, section 3.1.
    """

    def __init__(self, dim: int, *, n_blocks: int, dropout: float) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(dim, bias=False) for _ in range(n_blocks))
        self.layers = nn.ModuleList(nn.GRU(dim, dim, batch_first=True) for _ in range(n_blocks))
        self.out = nn.LayerNorm(dim, bias=False)
        self.dropout = FastDropout(dropout)

    def forward(self, history: torch.Tensor, times: EventTimes | None = None) -> torch.Tensor:
        """Encode every prefix. Shape (B, L, D) to (B, L, D); times are in the history's vectors already."""
        for norm, layer in zip(self.norms, self.layers, strict=True):
            states, _ = layer(norm(history))  # (B, L, D)
            history = history + self.dropout(states)  # (B, L, D)
        encoded: torch.Tensor = self.out(history)  # (B, L, D)
        return encoded
