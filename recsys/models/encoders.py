"""The one protocol of history encoders, and the choice among them."""

from typing import Literal, Protocol

import torch

from recsys.models.hstu import HstuEncoder
from recsys.models.mean_pooling import MeanPoolingEncoder
from recsys.models.time_gaps import EventTimes
from recsys.models.transformer import TransformerEncoder

EncoderName = Literal["transformer", "hstu", "mean"]


class HistoryEncoder(Protocol):
    """Encodes every prefix of a history; position t depends on positions up to t only, so right padding is harmless."""

    def __call__(self, history: torch.Tensor, times: EventTimes | None) -> torch.Tensor:
        """Shape (B, L, D) to (B, L, D); `times` is None if time is no input."""
        ...


def build_encoder(
    name: EncoderName,
    dim: int,
    *,
    history_length: int,
    n_blocks: int,
    n_heads: int,
    feedforward_factor: int,
    dropout: float,
    use_time: bool,
    low_pass_share: float,
    n_frequencies: int,
) -> TransformerEncoder | HstuEncoder | MeanPoolingEncoder:
    """Build an encoder of one kind; arguments that a kind has no use for are ignored.

    Args:
        name: The kind.
        dim: D.
        history_length: L, the most events of a history.
        n_blocks: Blocks.
        n_heads: Attention heads.
        feedforward_factor: Width of the feed-forward layers over D.
        dropout: On the output of each layer.
        use_time: Whether times are given.
        low_pass_share: Share of the low-pass filter beside the transformer's attention.
        n_frequencies: Frequencies that the filter keeps.
    """
    match name:
        case "transformer":
            return TransformerEncoder(
                dim,
                n_blocks=n_blocks,
                n_heads=n_heads,
                feedforward_factor=feedforward_factor,
                dropout=dropout,
                low_pass_share=low_pass_share,
                n_frequencies=n_frequencies,
            )
        case "hstu":
            return HstuEncoder(
                dim,
                history_length=history_length,
                n_blocks=n_blocks,
                n_heads=n_heads,
                dropout=dropout,
                use_time=use_time,
            )
        case "mean":
            return MeanPoolingEncoder(dim, feedforward_factor=feedforward_factor, dropout=dropout)
