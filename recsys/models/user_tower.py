"""The user tower: a history, its times and what is known of the user, to one vector a prefix."""

import torch
from torch import nn

from recsys.models.dropout import FastDropout
from recsys.models.item_tower import FeatureEncoder, Features
from recsys.models.time_gaps import TimeGaps
from recsys.models.transformer import TransformerEncoder


class UserTower(nn.Module):
    """Encodes histories.

    Args:
        encoder: Any module from (B, L, D) to (B, L, D) whose position t depends on positions up to t only.
        dim: D.
        user_features: Attributes of all users.
        use_time: Whether gaps are an input.
        request_drop: Chance that the request gap is hidden in training.
        dropout: On the input of the encoder.
    """

    def __init__(
        self,
        encoder: TransformerEncoder,
        dim: int,
        *,
        user_features: Features,
        use_time: bool,
        request_drop: float,
        dropout: float,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.time = TimeGaps(dim, request_drop) if use_time else None
        features = FeatureEncoder(user_features, dim)
        self.features = None if features.is_empty else features
        self.dropout = FastDropout(dropout)
        self.out = nn.Linear(dim, dim)

    def forward(
        self, history: torch.Tensor, *, gap: torch.Tensor, request_gap: torch.Tensor, user_idx: torch.Tensor
    ) -> torch.Tensor:
        """Encode every prefix of every history.

        Args:
            history: Shape (B, L, D), the item vectors of the history, right-padded.
            gap: Shape (B, L), seconds since the previous event, -1 if unknown.
            request_gap: Shape (B, L), seconds until the request, -1 if unknown.
            user_idx: Shape (B,); -1 for a user without known attributes.

        Returns:
            Shape (B, L, D), not normalised.
        """
        if self.time is not None:
            history = history + self.time(gap, request_gap)  # (B, L, D)
        if self.features is not None:
            known = (user_idx >= 0)[:, None]  # (B, 1)
            history = history + (self.features(user_idx.clamp(min=0)) * known)[:, None]  # (B, L, D)
        encoded: torch.Tensor = self.out(self.encoder(self.dropout(history)))  # (B, L, D)
        return encoded
