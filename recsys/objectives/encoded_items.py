"""The item vectors of one step, computed once for histories, candidates and views."""

from dataclasses import dataclass

import torch
from torch.nn.functional import embedding, normalize

from recsys.augmentation.sequences import MASKED
from recsys.models.two_tower import TwoTower


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedItems:
    """Vectors of the item tower.

    Attributes:
        vectors: Shape (M, D).
        distinct: Shape (M,), sorted, which items they are of; None if of the whole catalogue.
    """

    vectors: torch.Tensor
    distinct: torch.Tensor | None

    def history(self, item_idx: torch.Tensor) -> torch.Tensor:
        """Shape (B, L) item idx to (B, L, D); a hidden item brings nothing."""
        hidden = item_idx == MASKED  # (B, L)
        vectors = embedding(self._row(item_idx.clamp(min=0)), self.vectors)  # (B, L, D)
        return vectors * ~hidden[..., None] if bool(hidden.any()) else vectors

    def unit(self, item_idx: torch.Tensor | None = None) -> torch.Tensor:
        """Unit vectors of some items, or of all there are. Shape (N, D)."""
        unit = normalize(self.vectors.float(), dim=-1)  # (M, D)
        return unit if item_idx is None else unit[self._row(item_idx)]

    def _row(self, item_idx: torch.Tensor) -> torch.Tensor:
        return item_idx if self.distinct is None else torch.searchsorted(self.distinct, item_idx)


def encode_items(model: TwoTower, distinct: torch.Tensor | None, *, device: torch.device) -> EncodedItems:
    """Encode some items, or all if none are named.

    Args:
        model: Both towers.
        distinct: Shape (M,), sorted item idx.
        device: Of the model.
    """
    idx = torch.arange(model.spec.n_items, device=device) if distinct is None else distinct
    return EncodedItems(vectors=model.item_tower(idx), distinct=distinct)
