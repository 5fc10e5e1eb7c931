"""A causal softmax transformer with rotary positions: the encoder of a history."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.functional import gelu

from recsys.core.errors import ConfigError
from recsys.core.knobs import knob
from recsys.models.attention import causal_attention
from recsys.models.dropout import FastDropout
from recsys.models.encoders.protocol import EncoderShape
from recsys.models.low_pass import LowPass
from recsys.models.time_gaps import EventTimes

_ROTARY_BASE = 10_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformerSettings:
    """Settings of the transformer."""

    n_blocks: int = knob(2, "Blocks of the history encoder.", at_least=1, at_most=64)
    n_heads: int = knob(2, "Attention heads of a block; twice as many must divide dim.", at_least=1, at_most=64)
    feedforward_factor: int = knob(2, "Width of the feed-forward layers over dim.", at_least=1, at_most=16)
    dropout: float = knob(0.2, "Share of the entries that dropout hides, on the output of each layer.", at_least=0, below=1)
    low_pass_share: float = knob(
        0.0,
        "Share of a low-pass filter in what is mixed over positions, the rest is attention; 0 is none.",
        at_least=0,
        below=1,
    )
    n_frequencies: int = knob(3, "Frequencies that the low-pass filter keeps.", at_least=1)

    def check(self, shape: EncoderShape) -> None:
        """See `EncoderSettings.check`."""
        if shape.dim % (2 * self.n_heads):
            raise ConfigError(
                f"dim must be a multiple of twice n_heads ({2 * self.n_heads}), got {shape.dim}; change one of them"
            )

    def build(self, shape: EncoderShape) -> "TransformerEncoder":
        """See `EncoderSettings.build`."""
        self.check(shape)
        return TransformerEncoder(
            shape.dim,
            n_blocks=self.n_blocks,
            n_heads=self.n_heads,
            feedforward_factor=self.feedforward_factor,
            dropout=self.dropout,
            low_pass_share=self.low_pass_share,
            n_frequencies=self.n_frequencies,
        )


class TransformerEncoder(nn.Module):
    """Pre-norm blocks of causal self-attention and a feed-forward layer.

    Position t sees positions up to t only, so right padding changes nothing before it, and no mask is needed.

    Args:
        dim: D, a multiple of twice `n_heads`.
        n_blocks: Blocks.
        n_heads: Attention heads.
        feedforward_factor: Width of the feed-forward layer over D.
        dropout: On the output of each layer; attention weights have none (it would force the slow path on CPU).
        low_pass_share: Share of a low-pass filter in what is mixed over events, the rest is attention; 0 is attention alone.
        n_frequencies: Frequencies that the filter keeps.

    Source: Kang & McAuley, "Self-Attentive Sequential Recommendation", ICDM 2018; rotary positions: Su et al.,
    "RoFormer", arXiv:2104.09864, eq. 34; attention beside a filter: Shin et al., AAAI 2024, eq. 10.
    """

    def __init__(
        self,
        dim: int,
        *,
        n_blocks: int,
        n_heads: int,
        feedforward_factor: int,
        dropout: float,
        low_pass_share: float,
        n_frequencies: int,
    ) -> None:
        super().__init__()
        self.head_dim = dim // n_heads
        blocks = [_Block(dim, n_heads, feedforward_factor, dropout) for _ in range(n_blocks)]
        if low_pass_share:
            for block in blocks:
                block.low_pass = LowPass(dim, n_frequencies=n_frequencies)
                block.low_pass_share = low_pass_share
        self.blocks = nn.ModuleList(blocks)
        self.norm = nn.LayerNorm(dim, bias=False)

    def forward(self, history: torch.Tensor, times: EventTimes | None = None) -> torch.Tensor:
        """Encode every prefix. Shape (B, L, D) to (B, L, D); times are in the history's vectors already."""
        rotation = _rotation(history.shape[1], self.head_dim, history.device)
        for block in self.blocks:
            history = block(history, rotation)  # (B, L, D)
        encoded: torch.Tensor = self.norm(history)  # (B, L, D)
        return encoded


class _Block(nn.Module):
    low_pass: nn.Module | None
    low_pass_share: float

    def __init__(self, dim: int, n_heads: int, feedforward_factor: int, dropout: float) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.attention_norm = nn.LayerNorm(dim, bias=False)
        self.query_key_value = nn.Linear(dim, 3 * dim, bias=False)
        self.attention_out = nn.Linear(dim, dim, bias=False)
        self.feedforward_norm = nn.LayerNorm(dim, bias=False)
        self.feedforward_in = nn.Linear(dim, feedforward_factor * dim)
        self.feedforward_out = nn.Linear(feedforward_factor * dim, dim)
        self.dropout = FastDropout(dropout)
        self.low_pass = None
        self.low_pass_share = 0.0

    def forward(self, history: torch.Tensor, rotation: torch.Tensor) -> torch.Tensor:
        history = history + self.dropout(self._mix(self.attention_norm(history), rotation))  # (B, L, D)
        hidden = gelu(self.feedforward_in(self.feedforward_norm(history)))  # (B, L, F)
        encoded: torch.Tensor = history + self.dropout(self.feedforward_out(hidden))  # (B, L, D)
        return encoded

    def _mix(self, history: torch.Tensor, rotation: torch.Tensor) -> torch.Tensor:
        attended = self._attend(history, rotation)  # (B, L, D)
        if self.low_pass is None:
            return attended
        return torch.lerp(attended, self.low_pass(history).to(attended.dtype), self.low_pass_share)  # (B, L, D)

    def _attend(self, history: torch.Tensor, rotation: torch.Tensor) -> torch.Tensor:
        n_rows, length, dim = history.shape
        packed = self.query_key_value(history).view(n_rows, length, 3, self.n_heads, dim // self.n_heads)
        query, key, value = packed.permute(2, 0, 3, 1, 4)  # (B, heads, L, D / heads) each
        query, key = _rotate(query, rotation), _rotate(key, rotation)
        mixed = causal_attention(query, key, value)  # (B, heads, L, D / heads)
        joined = mixed.transpose(1, 2).reshape(n_rows, length, dim)  # (B, L, D)
        attended: torch.Tensor = self.attention_out(joined)  # (B, L, D)
        return attended


def _rotation(length: int, head_dim: int, device: torch.device) -> torch.Tensor:
    """Cosines and sines of each position's angles. Shape (2, L, head_dim / 2)."""
    frequency = _ROTARY_BASE ** (-torch.arange(0, head_dim, 2, device=device) / head_dim)  # (head_dim / 2)
    angle = torch.arange(length, device=device)[:, None] * frequency[None, :]  # (L, head_dim / 2)
    return torch.stack([angle.cos(), angle.sin()])  # (2, L, head_dim / 2)


def _rotate(vectors: torch.Tensor, rotation: torch.Tensor) -> torch.Tensor:
    first, second = vectors.chunk(2, dim=-1)  # (B, heads, L, head_dim / 2)
    cosine, sine = rotation.to(vectors.dtype)
    return torch.cat([first * cosine - second * sine, second * cosine + first * sine], dim=-1)
