"""The head that views are compared through; what is searched is the vector before it."""

import torch
from torch import nn
from torch.nn.functional import gelu, normalize


class ProjectionHead(nn.Module):
    """Two layers; what contrast between views has to forget, such as the order of events, is lost here and not before.

    Args:
        dim: D.

    Source: Chen et al., "SimCLR", arXiv:2002.05709, sections 2.1 and 4.2.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(dim, dim)
        self.out = nn.Linear(dim, dim, bias=False)
        for layer in (self.hidden, self.out):
            nn.init.normal_(layer.weight, std=dim**-0.5)
        nn.init.zeros_(self.hidden.bias)

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        """Shape (N, D) to (N, D) unit vectors."""
        # Unit vectors have entries of about D^-1/2: scaled up, the layers see what they are initialised for.
        spread = vectors.float() * vectors.shape[1] ** 0.5  # (N, D)
        return normalize(self.out(gelu(self.hidden(spread))).float(), dim=-1)  # (N, D)
