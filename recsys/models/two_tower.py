"""Both towers and the temperature: what is trained, saved and served."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import nn
from torch.nn.functional import normalize

from recsys.core.errors import ArtefactError
from recsys.models.encoders import EncoderName, build_encoder
from recsys.models.item_tower import Features, ItemTower
from recsys.models.projection import ProjectionHead
from recsys.models.temperature import to_scale
from recsys.models.text_tower import TextTower
from recsys.models.user_tower import UserTower


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoTowerSpec:
    """Everything that fixes the shape of the model; `spec.json` is this.

    Attributes:
        n_items: I.
        dim: D.
        encoder: What turns a history into vectors.
        history_length: L, the most events of a history that count.
        n_blocks: Blocks of the user encoder.
        n_heads: Its attention heads.
        feedforward_factor: Width of its feed-forward layers over D.
        dropout: Dropout of the user tower, on the output of its layers.
        use_time: Whether time gaps are an input.
        request_drop: Chance that the request gap is hidden in training.
        initial_scale: One over the temperature, at the start of training.
        learn_scale: Whether it is learned; else it stays.
        id_dropout: Chance that an item goes by its features alone in a training step.
        low_pass_share: Share of a low-pass filter beside the transformer's attention; 0 is none.
        n_frequencies: Frequencies that the filter keeps.
        input_dropout: The same as dropout, on what goes into the user tower's encoder.
        has_view_head: Whether there is a head that views of histories are compared through, in training alone.
        search_dim: T, the size of the text vectors that items are searched by; 0 is no search.
    """

    n_items: int
    dim: int
    encoder: EncoderName
    history_length: int
    n_blocks: int
    n_heads: int
    feedforward_factor: int
    dropout: float
    use_time: bool
    request_drop: float
    initial_scale: float
    learn_scale: bool = True
    id_dropout: float = 0.0
    low_pass_share: float = 0.0
    n_frequencies: int = 3
    input_dropout: float = 0.0
    has_view_head: bool = False
    search_dim: int = 0

    def as_dict(self) -> dict[str, Any]:
        """For `spec.json`."""
        return asdict(self)


def read_spec(value: object) -> TwoTowerSpec:
    """Rebuild a spec from `spec.json`.

    Raises:
        ArtefactError: It has other keys than a spec.
    """
    try:
        return TwoTowerSpec(**value)  # type: ignore[arg-type]
    except TypeError as error:
        raise ArtefactError(f"spec.json must describe a two-tower model, got {error}; train again") from None


class TwoTower(nn.Module):
    """A user tower over histories and an item tower, scored by cosine over a temperature.

    Args:
        spec: The shape of the model.
        item_features: Attributes of all items.
        user_features: Attributes of all users.
    """

    def __init__(self, spec: TwoTowerSpec, *, item_features: Features, user_features: Features) -> None:
        super().__init__()
        self.spec = spec
        self.item_tower = ItemTower(spec.n_items, spec.dim, item_features, id_dropout=spec.id_dropout)
        encoder = build_encoder(
            spec.encoder,
            spec.dim,
            history_length=spec.history_length,
            n_blocks=spec.n_blocks,
            n_heads=spec.n_heads,
            feedforward_factor=spec.feedforward_factor,
            dropout=spec.dropout,
            use_time=spec.use_time,
            low_pass_share=spec.low_pass_share,
            n_frequencies=spec.n_frequencies,
        )
        self.user_tower = UserTower(
            encoder,
            spec.dim,
            user_features=user_features,
            use_time=spec.use_time,
            request_drop=spec.request_drop,
            dropout=spec.input_dropout,
        )
        self.view_head = ProjectionHead(spec.dim) if spec.has_view_head else None
        self.log_scale = nn.Parameter(torch.tensor(math.log(spec.initial_scale)), requires_grad=spec.learn_scale)
        # Last, so that the other towers start at the same weights with it as without it.
        self.text_tower = TextTower(spec.search_dim, spec.dim) if spec.search_dim else None
        self.content_tower = TextTower(spec.search_dim, spec.dim) if spec.search_dim else None

    @property
    def scale(self) -> torch.Tensor:
        """One over the temperature, at most 100. Shape ()."""
        return to_scale(self.log_scale)

    def encode_items(self, item_idx: torch.Tensor) -> torch.Tensor:
        """Shape (N,) item idx to (N, D) unit vectors."""
        return normalize(self.item_tower(item_idx).float(), dim=-1)

    def encode_text(self, texts: torch.Tensor) -> torch.Tensor:
        """Shape (N, T) text vectors to (N, D) unit vectors, nearer to the items that they describe than to others.

        Raises:
            ArtefactError: The model was trained without texts.
        """
        return _read(self.text_tower, texts)

    def encode_content(self, texts: torch.Tensor) -> torch.Tensor:
        """Shape (N, T) vectors of all that is written about items to (N, D) unit vectors, where users would look for them.

        Raises:
            ArtefactError: The model was trained without texts.
        """
        return _read(self.content_tower, texts)

    def project(self, vectors: torch.Tensor) -> torch.Tensor:
        """Shape (N, D) unit vectors to (N, D) unit vectors that views are compared by."""
        return vectors if self.view_head is None else self.view_head(vectors)

    def encode_prefixes(
        self,
        history: torch.Tensor,
        *,
        gap: torch.Tensor,
        request_gap: torch.Tensor,
        user_idx: torch.Tensor,
        is_wanted: torch.Tensor,
    ) -> torch.Tensor:
        """Unit vectors of the wanted prefixes.

        Args:
            history: Shape (B, L, D), vectors from the item tower.
            gap: Shape (B, L).
            request_gap: Shape (B, L).
            user_idx: Shape (B,).
            is_wanted: Shape (B, L) bool; N positions are set.

        Returns:
            Shape (N, D), in row-major order of `is_wanted`.
        """
        encoded = self.user_tower(history, gap=gap, request_gap=request_gap, user_idx=user_idx)  # (B, L, D)
        return normalize(encoded[is_wanted].float(), dim=-1)  # (N, D)


def _read(tower: TextTower | None, texts: torch.Tensor) -> torch.Tensor:
    if tower is None:
        raise ArtefactError(
            "texts of items must have been read in training to read others, got none; give items texts or categories and leave "
            "[pairs] search_dim above 0"
        )
    vectors: torch.Tensor = tower(texts)
    return vectors
