"""The user tower: a history, its times and what is known of the user, to one vector a prefix."""

import torch
from torch import nn

from recsys.models.dropout import FastDropout
from recsys.models.encoders.protocol import HistoryEncoder
from recsys.models.item_tower import FeatureEncoder, Features
from recsys.models.time_gaps import EventTimes, TimeGaps, hide_requests


class UserTower(nn.Module):
    """Encodes histories.

    Args:
        encoder: A module that fits the protocol.
        dim: D.
        user_features: Attributes of all users.
        use_time: Whether gaps are an input.
        request_drop: Chance that the request gap is hidden in training.
        dropout: On the input of the encoder.
    """

    def __init__(
        self,
        encoder: HistoryEncoder,
        dim: int,
        *,
        user_features: Features,
        use_time: bool,
        request_drop: float,
        dropout: float,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.time = TimeGaps(dim) if use_time else None
        self.request_drop = request_drop
        features = FeatureEncoder(user_features, dim)
        self.features = None if features.is_empty else features
        self.dropout = FastDropout(dropout)

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
        times = None
        if self.time is not None:
            times = EventTimes(gap=gap, request_gap=request_gap)
            times = hide_requests(times, chance=self.request_drop) if self.training else times
            history = history + self.time(times)  # (B, L, D)
        if self.features is not None:
            known = (user_idx >= 0)[:, None]  # (B, 1)
            history = history + (self.features(user_idx.clamp(min=0)) * known)[:, None]  # (B, L, D)
        encoded: torch.Tensor = self.encoder(self.dropout(history), times)  # (B, L, D)
        return encoded
