"""The text tower: from a text's vector to one in the space of users and items."""

import math

import torch
from torch import nn
from torch.nn.functional import gelu, normalize

from recsys.models.temperature import to_scale

_FIRST_SCALE = 1 / 0.07


class TextTower(nn.Module):
    """A linear map and a small residual layer over frozen text vectors, with a temperature of its own.

    Args:
        text_dim: T.
        dim: D.
        dropout: Share of the entries of a text vector that a training step does not see.

    Source: the first temperature: Radford et al., "CLIP", arXiv:2103.00020, section 2.5.
    """

    def __init__(self, text_dim: int, dim: int, *, dropout: float = 0.2) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.project = nn.Linear(text_dim, dim)
        self.hidden = nn.Linear(dim, 2 * dim)
        self.out = nn.Linear(2 * dim, dim)
        self.log_scale = nn.Parameter(torch.tensor(math.log(_FIRST_SCALE)))

    @property
    def scale(self) -> torch.Tensor:
        """One over the temperature, at most 100. Shape ()."""
        return to_scale(self.log_scale)

    def forward(self, texts: torch.Tensor) -> torch.Tensor:
        """Shape (N, T) text vectors to (N, D) unit vectors."""
        spread = self.dropout(texts.float()) * texts.shape[1] ** 0.5  # (N, T)
        projected = self.project(spread)  # (N, D)
        return normalize(projected + self.out(gelu(self.hidden(projected))), dim=-1)  # (N, D)
