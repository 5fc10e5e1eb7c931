"""Both towers and the temperature: what is trained, saved and served."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import nn
from torch.nn.functional import normalize

from recsys.core.errors import ArtefactError
from recsys.core.knobs import knob, take
from recsys.models.encoders.choice import ENCODERS, EncoderName
from recsys.models.encoders.protocol import EncoderSettings, EncoderShape
from recsys.models.item_tower import Features, ItemTower
from recsys.models.projection import ProjectionHead
from recsys.models.temperature import to_scale
from recsys.models.text_tower import TextTower
from recsys.models.user_tower import UserTower


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSettings:
    """The shape of the towers, apart from the encoder's own settings."""

    encoder: EncoderName = knob("transformer", "What turns a history into vectors.")
    dim: int = knob(64, "Numbers of an embedding.", at_least=4, at_most=4096)
    history_length: int = knob(200, "The most events of a history that are read, the last ones.", at_least=1, at_most=8192)
    input_dropout: float = knob(0.0, "Share of the entries that dropout hides, on the encoder's input.", at_least=0, below=1)
    use_time: bool = knob(True, "Whether the gaps between events are an input.")
    request_drop: float = knob(
        0.1,
        "Chance that training hides the time of the request, so that the model answers without it too.",
        at_least=0,
        at_most=1,
    )
    initial_scale: float = knob(20.0, "One over the temperature of the softmax, at the start.", above=0, at_most=100)
    learn_scale: bool = knob(True, "Whether the temperature is learned; else it stays.")
    id_dropout: float = knob(
        0.0, "Chance that an item goes by its features alone in a training step; items must have some.", at_least=0, below=1
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoTowerSpec:
    """Everything that fixes the shape of the model; `spec.json` is this.

    Attributes:
        n_items: I.
        model: Dimensions, inputs and temperature.
        encoder: Settings of the encoder that `model` names.
        has_view_head: Whether there is a head that views of histories are compared through, in training alone.
        search_dim: T, the size of the text vectors that items are searched by; 0 is no search.
    """

    n_items: int
    model: ModelSettings
    encoder: EncoderSettings
    has_view_head: bool = False
    search_dim: int = 0

    @property
    def dim(self) -> int:
        """D."""
        return self.model.dim

    @property
    def history_length(self) -> int:
        """L."""
        return self.model.history_length

    @property
    def use_time(self) -> bool:
        """Whether time gaps are an input."""
        return self.model.use_time

    def as_dict(self) -> dict[str, Any]:
        """For `spec.json`."""
        return asdict(self)


def build_spec(values: Mapping[str, Any], **found: Any) -> TwoTowerSpec:
    """A spec from checked settings by name.

    Args:
        values: Settings of the model and of its encoder, and perhaps others.
        found: The other fields of the spec, which hang on the data.
    """
    model = take(ModelSettings, values)
    return TwoTowerSpec(model=model, encoder=take(ENCODERS[model.encoder], values), **found)


def read_spec(value: object) -> TwoTowerSpec:
    """Rebuild a spec from `spec.json`.

    Raises:
        ArtefactError: It has other keys than a spec.
    """
    try:
        table: dict[str, Any] = dict(value)  # type: ignore[call-overload]
        model = ModelSettings(**table.pop("model"))
        encoder = ENCODERS[model.encoder](**table.pop("encoder"))
        return TwoTowerSpec(model=model, encoder=encoder, **table)
    except (TypeError, KeyError, ValueError) as error:
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
        self.item_tower = ItemTower(spec.n_items, spec.dim, item_features, id_dropout=spec.model.id_dropout)
        shape = EncoderShape(dim=spec.dim, history_length=spec.history_length, use_time=spec.use_time)
        self.user_tower = UserTower(
            spec.encoder.build(shape),
            spec.dim,
            user_features=user_features,
            use_time=spec.use_time,
            request_drop=spec.model.request_drop,
            dropout=spec.model.input_dropout,
        )
        self.view_head = ProjectionHead(spec.dim) if spec.has_view_head else None
        self.log_scale = nn.Parameter(torch.tensor(math.log(spec.model.initial_scale)), requires_grad=spec.model.learn_scale)
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
        prefix: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Unit vectors of the wanted prefixes.

        Args:
            history: Shape (B, L, D), vectors from the item tower.
            gap: Shape (B, L).
            request_gap: Shape (B, L).
            user_idx: Shape (B,).
            is_wanted: Shape (B, L) bool; N positions are set.
            prefix: Shape (B, L) int64, the position in its row whose prefix stands for each position; its own if None.

        Returns:
            Shape (N, D), in row-major order of `is_wanted`.
        """
        encoded = self.user_tower(history, gap=gap, request_gap=request_gap, user_idx=user_idx)  # (B, L, D)
        if prefix is None:
            return normalize(encoded[is_wanted].float(), dim=-1)  # (N, D)
        row = torch.arange(len(prefix), device=prefix.device)[:, None].expand_as(prefix)[is_wanted]  # (N,)
        return normalize(encoded[row, prefix[is_wanted]].float(), dim=-1)  # (N, D)


def _read(tower: TextTower | None, texts: torch.Tensor) -> torch.Tensor:
    if tower is None:
        raise ArtefactError(
            "texts of items must have been read in training to read others, got none; give items texts or categories and leave "
            "[pairs] search_dim above 0"
        )
    vectors: torch.Tensor = tower(texts)
    return vectors
