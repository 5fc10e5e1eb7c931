"""The item tower: an id embedding plus what is known of the item."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.functional import embedding, gelu

from recsys.core.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """Attributes of all rows of a vocabulary.

    Attributes:
        categories: Shape (I, A) int64, category positions from 1, 0 is none.
        numbers: Shape (I, F) float32.
        text: Shape (I, T) float32.
        n_categories: How many categories there are, without the 0.
    """

    categories: torch.Tensor
    numbers: torch.Tensor
    text: torch.Tensor
    n_categories: int


class FeatureEncoder(nn.Module):
    """Categories, numbers and text of a row to one vector: a sum of embeddings, then a small residual layer.

    Rows without text are often equal: of many rows at once each distinct one is encoded once. Of very many a step encodes
    few, and they are not compared.

    Args:
        features: The rows; they are kept as buffers that are not saved, since `pairs` has them.
        dim: D.
        most_compared: Rows that are compared at most.
    """

    categories: torch.Tensor
    dense: torch.Tensor
    has_any: torch.Tensor
    distinct: torch.Tensor
    kind_of: torch.Tensor

    def __init__(self, features: Features, dim: int, *, most_compared: int = 100_000) -> None:
        super().__init__()
        self.register_buffer("categories", features.categories, persistent=False)
        self.register_buffer("dense", torch.cat([features.numbers, features.text], dim=1), persistent=False)
        self.register_buffer("has_any", (self.categories > 0).any(1) | (self.dense != 0).any(1), persistent=False)  # (I,)
        distinct, kind_of = _distinct_rows(features, most_compared)
        self.register_buffer("distinct", distinct, persistent=False)  # (U,)
        self.register_buffer("kind_of", kind_of, persistent=False)  # (I,)
        self.category_table = nn.Embedding(features.n_categories + 1, dim, padding_idx=0)
        nn.init.normal_(self.category_table.weight, std=0.02)
        with torch.no_grad():
            self.category_table.weight[0] = 0
        self.from_dense = nn.Linear(self.dense.shape[1], dim) if self.dense.shape[1] else None
        self.hidden = nn.Linear(dim, dim)
        self.out = nn.Linear(dim, dim)
        for layer in (self.from_dense, self.hidden, self.out):
            if layer is not None:
                nn.init.normal_(layer.weight, std=0.02 if layer is self.from_dense else dim**-0.5)
                nn.init.zeros_(layer.bias)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to encode."""
        return self.categories.shape[1] == 0 and self.dense.shape[1] == 0

    @property
    def n_fields(self) -> int:
        """A + F + T, the fields of a row that a mask is about."""
        return self.categories.shape[1] + self.dense.shape[1]

    def forward(self, row: torch.Tensor) -> torch.Tensor:
        """Shape (N,) row positions to (N, D)."""
        if len(row) > len(self.distinct):
            encoded = self._encode(self.categories[self.distinct], self.dense[self.distinct])  # (U, D)
            return embedding(self.kind_of[row], encoded)
        return self._encode(self.categories[row], self.dense[row])

    def encode_masked(self, row: torch.Tensor, is_kept: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Encode rows of which only some fields are seen.

        Args:
            row: Shape (N,).
            is_kept: Shape (N, A + F + T) bool.

        Returns:
            Shape (N, D), and shape (N,) bool, whether anything is left of the row.
        """
        n_categories = self.categories.shape[1]
        categories = self.categories[row] * is_kept[:, :n_categories]  # (N, A)
        dense = self.dense[row] * is_kept[:, n_categories:]  # (N, F + T)
        return self._encode(categories, dense), (categories > 0).any(1) | (dense != 0).any(1)

    def _encode(self, categories: torch.Tensor, dense: torch.Tensor) -> torch.Tensor:
        summed = self.category_table(categories).sum(1)  # (N, D)
        if self.from_dense is not None:
            summed = summed + self.from_dense(dense)  # (N, D)
        encoded: torch.Tensor = summed + self.out(gelu(self.hidden(summed)))  # (N, D)
        return encoded


def _distinct_rows(features: Features, most: int) -> tuple[torch.Tensor, torch.Tensor]:
    """One row of each kind, (U,), and which kind each row is, (I,); rows with text, or very many, all count as distinct."""
    every = torch.arange(len(features.categories), device=features.categories.device)
    n_fields = features.categories.shape[1] + features.numbers.shape[1]
    if features.text.shape[1] or not n_fields or not 0 < len(every) <= most:
        return every, every
    rows = torch.cat([features.categories.double(), features.numbers.double()], dim=1)  # (I, A + F)
    kinds, kind_of = torch.unique(rows, dim=0, return_inverse=True)  # (U, A + F), (I,)
    return torch.zeros_like(every[: len(kinds)]).scatter_(0, kind_of, every), kind_of


class ItemTower(nn.Module):
    """Item positions to vectors, for the candidate side and, unnormalised, for the history side.

    Args:
        n_items: I.
        dim: D.
        features: Attributes of all items.
        id_dropout: Chance that an item goes by its features alone in a training step, so that they carry weight and an item
            without a trained id has a vector too; an item without features keeps its id.

    Raises:
        ConfigError: Ids may be dropped, and there are no features to go by.

    Source: dropping ids: Volkovs et al., "DropoutNet", NeurIPS 2017, section 4.2.
    """

    def __init__(self, n_items: int, dim: int, features: Features, *, id_dropout: float) -> None:
        super().__init__()
        self.n_items = n_items
        self.id_dropout = id_dropout
        self.ids = nn.Embedding(n_items, dim)
        nn.init.normal_(self.ids.weight, std=0.02)
        encoder = FeatureEncoder(features, dim)
        self.features = None if encoder.is_empty else encoder
        if id_dropout and self.features is None:
            raise ConfigError(
                f"[train] id_dropout must be 0 where items have no features, got {id_dropout}; "
                "give items attributes, or set it to 0"
            )

    def forward(self, item_idx: torch.Tensor) -> torch.Tensor:
        """Shape (N,) item idx to (N, D); the length of the vectors carries no meaning."""
        vectors: torch.Tensor = self.ids(item_idx)  # (N, D)
        if self.training and self.id_dropout and self.features is not None:
            kept = torch.rand(len(item_idx), device=item_idx.device) >= self.id_dropout  # (N,)
            vectors = vectors * (kept | ~self.features.has_any[item_idx])[:, None]  # (N, D)
        if self.features is not None:
            vectors = vectors + self.features(item_idx)  # (N, D)
        return vectors

    def encode_masked(self, item_idx: torch.Tensor, *, is_kept: torch.Tensor, keeps_id: torch.Tensor) -> torch.Tensor:
        """Vectors of items of which only some fields are seen; one of which no field is left is seen by its id.

        Args:
            item_idx: Shape (N,).
            is_kept: Shape (N, A + F + T) bool.
            keeps_id: Shape (N,) bool.

        Returns:
            Shape (N, D).

        Raises:
            ConfigError: Items have no features.
        """
        if self.features is None:
            raise ConfigError("items must have features to be seen by some of them, got none; give items attributes")
        encoded, has_any = self.features.encode_masked(item_idx, is_kept)  # (N, D), (N,)
        by_id: torch.Tensor = self.ids(item_idx) * (keeps_id | ~has_any)[:, None]  # (N, D)
        return encoded + by_id
