"""Two views of an item, each through a mask of its features: the tower learns which features go together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch.nn.functional import normalize

from recsys.core.errors import ConfigError
from recsys.core.knobs import knob, take
from recsys.losses.nt_xent import nt_xent
from recsys.models.two_tower import TwoTower
from recsys.objectives.key_queue import KeyQueue
from recsys.objectives.term import Context, Part
from recsys.objectives.views import ViewSettings
from recsys.objectives.workers import Workers
from recsys.sampling.batches import Batch


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemViewSettings:
    """Settings of the contrast between feature masks."""

    item_view_weight: float = knob(
        0.0, "Weight of the contrast between two feature masks of each item; items must have features; 0 is none.", at_least=0
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemViews:
    """What the two views of some items show; no feature is in both.

    Attributes:
        item_idx: Shape (S,).
        is_kept: Shape (S, A + F + T) bool, the features in the first view; all others are in the second.
        keeps_id: Shape (2, S) bool.
    """

    item_idx: torch.Tensor
    is_kept: torch.Tensor
    keeps_id: torch.Tensor

    def rows(self, part: slice, device: torch.device) -> "ItemViews":
        """See `Drawn.rows`; they belong to no row."""
        moved = (tensor.to(device) for tensor in (self.item_idx, self.is_kept, self.keeps_id))
        return ItemViews(**dict(zip(("item_idx", "is_kept", "keeps_id"), moved, strict=True)))

    def items(self) -> Sequence[torch.Tensor]:
        """See `Drawn.items`."""
        return [self.item_idx]


def draw_item_views(model: TwoTower, *, rng: np.random.Generator, n_items: int = 512) -> ItemViews:
    """Draw items that have features, each as likely, and a random half of their features for the first view.

    Args:
        model: Both towers.
        rng: Draws both.
        n_items: Items to draw, or all that have features if there are fewer.

    Raises:
        ConfigError: No item has features.
    """
    features = model.item_tower.features
    known = np.zeros(0) if features is None else features.has_any.nonzero()[:, 0].cpu().numpy()
    if features is None or not len(known):
        raise ConfigError("[train] item_view_weight must be 0 where items have no features, got more; give items attributes")
    chosen = np.sort(rng.choice(known, min(n_items, len(known)), replace=False))
    return ItemViews(
        item_idx=torch.from_numpy(chosen),
        is_kept=torch.from_numpy(rng.random((len(chosen), features.n_fields)) < 0.5),
        keeps_id=torch.from_numpy(rng.random((2, len(chosen))) < 0.5),
    )


def item_view_contrast(model: TwoTower, views: ItemViews, *, scale: torch.Tensor, workers: Workers) -> torch.Tensor:
    """This process's share of the contrast among the views of all items drawn, shape ().

    Args:
        model: Its item tower.
        views: Drawn for all processes alike.
        scale: Shape ().
        workers: Each works on its share of the items; the views of all are keys.

    Source: Yao et al., "Self-supervised Learning for Large-scale Item Recommendations", arXiv:2007.12865, section 3.2: masks
    that complement each other, and an id that may be hidden.
    """
    own = workers.share()
    item_idx, is_kept = views.item_idx[own], views.is_kept[own]  # (S,), (S, A + F + T)
    encode = model.item_tower.encode_masked
    first, second = (
        normalize(encode(item_idx, is_kept=kept, keeps_id=keeps_id[own]).float(), dim=-1)  # (S, D)
        for kept, keeps_id in zip((is_kept, ~is_kept), views.keeps_id, strict=True)
    )
    anchors = torch.cat([first, second])  # (2S, D)
    owner = item_idx.repeat(2)  # (2S,)
    keys, owners = workers.gather(anchors), workers.gather(owner)  # (K, D), (K,)
    ignored = owner[:, None] == owners[None, :]  # (2S, K)
    loss = nt_xent(anchors, torch.cat([second, first]), keys, is_ignored=ignored, scale=scale)
    return loss * (len(item_idx) / len(views.item_idx))


class ItemViewContrast:
    """Views of one item attract each other among the views of all others.

    Args:
        settings: Its weight.
        context: Model and temperature.
    """

    name: ClassVar[str] = "item_views"
    settings: ClassVar[type] = ItemViewSettings
    queue: KeyQueue | None = None

    def __init__(self, settings: ItemViewSettings, context: Context) -> None:
        self.weight, self._model = settings.item_view_weight, context.model
        self.scale = torch.tensor(take(ViewSettings, context.values).view_scale, device=context.device)  # ()

    @classmethod
    def build(cls, context: Context) -> "ItemViewContrast | None":
        """See `TermKind.build`."""
        settings = take(ItemViewSettings, context.values)
        return cls(settings, context) if settings.item_view_weight else None

    @staticmethod
    def reads(values: Mapping[str, Any], *, is_full: bool) -> set[str]:
        """See `TermKind.reads`."""
        return {"item_view_weight", "view_scale"} if values["item_view_weight"] else {"item_view_weight"}

    def in_words(self) -> str:
        """See `Term.in_words`."""
        return "item view contrast"

    def draw(self, whole: Batch, *, rng: np.random.Generator) -> ItemViews:
        """See `Term.draw`."""
        return draw_item_views(self._model, rng=rng)

    def loss(self, part: Part, drawn: ItemViews) -> torch.Tensor:
        """See `Term.loss`."""
        return item_view_contrast(part.model, drawn, scale=self.scale, workers=part.workers)
