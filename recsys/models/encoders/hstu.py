"""HSTU: attention without a softmax, gated, with learned biases for distance in events and in time."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.functional import silu

from recsys.core.errors import ConfigError
from recsys.core.knobs import knob
from recsys.models.dropout import FastDropout
from recsys.models.encoders.protocol import EncoderShape
from recsys.models.small_table import look_up
from recsys.models.time_gaps import N_BUCKETS, EventTimes, gap_bucket


@dataclass(frozen=True, slots=True, kw_only=True)
class HstuSettings:
    """Settings of HSTU."""

    n_blocks: int = knob(2, "Blocks of the history encoder.", at_least=1, at_most=64)
    n_heads: int = knob(2, "Attention heads of a block; twice as many must divide dim.", at_least=1, at_most=64)
    dropout: float = knob(0.2, "Share of the entries that dropout hides, on the output of each layer.", at_least=0, below=1)

    def check(self, shape: EncoderShape) -> None:
        """See `EncoderSettings.check`."""
        if shape.dim % (2 * self.n_heads):
            raise ConfigError(
                f"dim must be a multiple of twice n_heads ({2 * self.n_heads}), got {shape.dim}; change one of them"
            )

    def build(self, shape: EncoderShape) -> "HstuEncoder":
        """See `EncoderSettings.build`."""
        self.check(shape)
        return HstuEncoder(
            shape.dim,
            history_length=shape.history_length,
            n_blocks=self.n_blocks,
            n_heads=self.n_heads,
            dropout=self.dropout,
            use_time=shape.use_time,
        )


class HstuEncoder(nn.Module):
    """Blocks of pointwise gated attention; all blocks share one relative bias.

    A row's weights are divided by the number of events that it sees, not by the padded length, so padding changes nothing.

    Args:
        dim: D, a multiple of `n_heads`.
        history_length: L, the most events of a history.
        n_blocks: Blocks.
        n_heads: Attention heads.
        dropout: On the output of each block.
        use_time: Whether there is a bias for time.

    Source: Zhai et al., "Actions Speak Louder than Words", arXiv:2402.17152, eq. 1 to 3.
    """

    def __init__(self, dim: int, *, history_length: int, n_blocks: int, n_heads: int, dropout: float, use_time: bool) -> None:
        super().__init__()
        self.bias = _RelativeBias(history_length, n_heads, use_time=use_time)
        self.blocks = nn.ModuleList(_Block(dim, n_heads, dropout) for _ in range(n_blocks))
        self.norm = nn.LayerNorm(dim, bias=False)

    def forward(self, history: torch.Tensor, times: EventTimes | None) -> torch.Tensor:
        """Encode every prefix. Shape (B, L, D) to (B, L, D)."""
        length = history.shape[1]
        bias = self.bias(length, times)  # (B or 1, heads, L, L)
        seen = torch.ones(length, length, device=history.device).tril()  # (L, L)
        share = seen / seen.sum(1, keepdim=True)  # (L, L): 1 / (i + 1) up to event i, then 0
        for block in self.blocks:
            history = block(history, bias, share)  # (B, L, D)
        encoded: torch.Tensor = self.norm(history)  # (B, L, D)
        return encoded


class _Block(nn.Module):
    def __init__(self, dim: int, n_heads: int, dropout: float) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.norm = nn.LayerNorm(dim, bias=False)
        self.project = nn.Linear(dim, 4 * dim)
        self.mixed_norm = nn.LayerNorm(dim, bias=False)
        self.out = nn.Linear(dim, dim)
        self.dropout = FastDropout(dropout)

    def forward(self, history: torch.Tensor, bias: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
        n_rows, length, dim = history.shape
        gate, *packed = silu(self.project(self.norm(history))).chunk(4, dim=-1)  # (B, L, D) each
        heads = [part.view(n_rows, length, self.n_heads, -1).transpose(1, 2) for part in packed]
        query, key, value = heads  # (B, heads, L, D / heads) each
        weights = silu(query @ key.transpose(-1, -2) + bias) * share  # (B, heads, L, L)
        mixed = (weights.to(value.dtype) @ value).transpose(1, 2).reshape(n_rows, length, dim)  # (B, L, D)
        encoded: torch.Tensor = history + self.dropout(self.out(self.mixed_norm(mixed.float()) * gate))  # (B, L, D)
        return encoded


class _RelativeBias(nn.Module):
    """One number a head for each distance in events, plus one for each distance in time on a log2 scale."""

    def __init__(self, history_length: int, n_heads: int, *, use_time: bool) -> None:
        super().__init__()
        self.place = nn.Embedding(history_length, n_heads)
        self.time = nn.Embedding(N_BUCKETS, n_heads) if use_time else None
        for table in (self.place, self.time):
            if table is not None:
                nn.init.normal_(table.weight, std=0.02)

    def forward(self, length: int, times: EventTimes | None) -> torch.Tensor:
        steps = torch.arange(length, device=self.place.weight.device)
        distance = (steps[:, None] - steps[None, :]).clamp(0, self.place.num_embeddings - 1)  # (L, L)
        bias: torch.Tensor = self.place(distance).permute(2, 0, 1)[None]  # (1, heads, L, L)
        if self.time is not None and times is not None:
            bucket = gap_bucket(times.since_events())  # (B, L, L)
            bias = bias + look_up(self.time.weight, bucket).permute(0, 3, 1, 2)  # (B, heads, L, L)
        return bias
