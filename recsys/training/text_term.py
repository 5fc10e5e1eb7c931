"""Alignment of items with their texts as a term of training: both towers move."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from recsys.core.errors import ConfigError
from recsys.losses.clip import clip_loss
from recsys.models.two_tower import TwoTower
from recsys.training.encoded_items import EncodedItems
from recsys.training.text_alignment import draw_columns, label_texts

_MOST_ITEMS = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedItems:
    """Some items and a text of each.

    Attributes:
        item_idx: Shape (S,).
        texts: Shape (S, T).
        label: Shape (S,), equal where texts are.
    """

    item_idx: torch.Tensor
    texts: torch.Tensor
    label: torch.Tensor

    def to(self, device: torch.device) -> "DescribedItems":
        """The same on another device."""
        return DescribedItems(item_idx=self.item_idx.to(device), texts=self.texts.to(device), label=self.label.to(device))


class TextTerm:
    """The symmetric loss between the item tower and the text tower.

    Args:
        texts: Shape (I, C, T), all text of an item first, then each column; rows of zeros are no text.

    Raises:
        ConfigError: No item has a text.

    Source: Radford et al., "CLIP", arXiv:2103.00020, section 2.3.
    """

    def __init__(self, texts: NDArray[np.float32]) -> None:
        self._texts = texts
        self._known = np.flatnonzero(texts[:, 0].any(1))
        if not len(self._known):
            raise ConfigError(
                "[train] text_weight must be 0 where items have no texts, got more; give items texts or categories"
            )

    def draw(self, *, rng: np.random.Generator) -> DescribedItems:
        """Draw items with texts, each as likely."""
        rows = np.sort(rng.choice(self._known, min(_MOST_ITEMS, len(self._known)), replace=False))
        column = draw_columns(self._texts, rows, rng=rng)
        shown = np.asarray(self._texts[rows, column])  # (S, T)
        return DescribedItems(
            item_idx=torch.from_numpy(rows), texts=torch.from_numpy(shown), label=torch.from_numpy(label_texts(shown))
        )


def text_loss(model: TwoTower, items: EncodedItems, described: DescribedItems) -> torch.Tensor:
    """The loss over some items and their texts, shape ().

    Args:
        model: Its text tower, with its own temperature.
        items: Vectors of these items among others.
        described: What was drawn.
    """
    if model.text_tower is None:
        raise ConfigError("[train] text_weight must be 0 without a text tower, got more; set [pairs] search_dim above 0")
    return clip_loss(
        items.unit(described.item_idx),
        model.encode_text(described.texts),
        is_ignored=described.label[:, None] == described.label[None, :],
        scale=model.text_tower.scale,
    )
