"""Two views of an item, each through a mask of its features: the tower learns which features go together."""

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import normalize

from recsys.core.errors import ConfigError
from recsys.losses.nt_xent import nt_xent
from recsys.models.two_tower import TwoTower
from recsys.training.distributed import Workers

_MOST_ITEMS = 512


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

    def to(self, device: torch.device) -> "ItemViews":
        """The same on another device."""
        moved = (tensor.to(device) for tensor in (self.item_idx, self.is_kept, self.keeps_id))
        return ItemViews(**dict(zip(("item_idx", "is_kept", "keeps_id"), moved, strict=True)))


def draw_item_views(model: TwoTower, *, rng: np.random.Generator) -> ItemViews:
    """Draw items that have features, each as likely, and a random half of their features for the first view.

    Raises:
        ConfigError: No item has features.
    """
    features = model.item_tower.features
    known = np.zeros(0) if features is None else features.has_any.nonzero()[:, 0].cpu().numpy()
    if features is None or not len(known):
        raise ConfigError("[train] item_view_weight must be 0 where items have no features, got more; give items attributes")
    chosen = np.sort(rng.choice(known, min(_MOST_ITEMS, len(known)), replace=False))
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
