"""Alignment of items with their texts as a term of training: both towers move."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from recsys.core.errors import ConfigError
from recsys.core.knobs import knob, take
from recsys.losses.clip import clip_loss
from recsys.objectives.key_queue import KeyQueue
from recsys.objectives.term import Context, Part
from recsys.sampling.batches import Batch

_MOST_ITEMS = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSettings:
    """Settings of the alignment with texts."""

    text_weight: float = knob(
        0.0,
        "Weight of the alignment of items with their texts, which moves the items too; 0 leaves them where they are.",
        at_least=0,
    )


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

    def rows(self, part: slice, device: torch.device) -> "DescribedItems":
        """See `Drawn.rows`; they belong to no row."""
        return DescribedItems(item_idx=self.item_idx.to(device), texts=self.texts.to(device), label=self.label.to(device))

    def items(self) -> Sequence[torch.Tensor]:
        """See `Drawn.items`."""
        return [self.item_idx]


class Texts:
    """The symmetric loss between the item tower and the text tower.

    Args:
        texts: Shape (I, C, T), all text of an item first, then each column; rows of zeros are no text.
        weight: Of the term.

    Raises:
        ConfigError: No item has a text.

    Source: Radford et al., "CLIP", arXiv:2103.00020, section 2.3.
    """

    name: ClassVar[str] = "texts"
    settings: ClassVar[type] = TextSettings
    queue: KeyQueue | None = None

    def __init__(self, texts: NDArray[np.float32], *, weight: float = 1.0) -> None:
        self.weight, self._texts = weight, texts
        self._known = np.flatnonzero(texts[:, 0].any(1))
        if not len(self._known):
            raise ConfigError(
                "[train] text_weight must be 0 where items have no texts, got more; give items texts or categories"
            )

    @classmethod
    def build(cls, context: Context) -> "Texts | None":
        """See `TermKind.build`."""
        settings = take(TextSettings, context.values)
        if not settings.text_weight:
            return None
        if context.texts is None or context.model.text_tower is None:
            raise ConfigError("text_weight must be 0 where no texts are read, got more; set [pairs] search_dim above 0")
        return cls(context.texts, weight=settings.text_weight)

    @staticmethod
    def reads(values: Mapping[str, Any], *, is_full: bool) -> set[str]:
        """See `TermKind.reads`."""
        return {"text_weight"}

    def in_words(self) -> str:
        """See `Term.in_words`."""
        return "text alignment"

    def draw(self, whole: Batch, *, rng: np.random.Generator) -> DescribedItems:
        """Draw items with texts, each as likely."""
        rows = np.sort(rng.choice(self._known, min(_MOST_ITEMS, len(self._known)), replace=False))
        column = draw_columns(self._texts, rows, rng=rng)
        shown = np.asarray(self._texts[rows, column])  # (S, T)
        return DescribedItems(
            item_idx=torch.from_numpy(rows), texts=torch.from_numpy(shown), label=torch.from_numpy(label_texts(shown))
        )

    def loss(self, part: Part, drawn: DescribedItems) -> torch.Tensor:
        """See `Term.loss`. Each process sees all of these items, so each has its share of their loss."""
        tower = part.model.text_tower
        if tower is None:
            raise ConfigError("[train] text_weight must be 0 without a text tower, got more; set [pairs] search_dim above 0")
        loss = clip_loss(
            part.items.unit(drawn.item_idx),
            part.model.encode_text(drawn.texts),
            is_ignored=drawn.label[:, None] == drawn.label[None, :],
            scale=tower.scale,
        )
        return loss / part.workers.n_workers


def label_texts(texts: NDArray[np.float32]) -> NDArray[np.int64]:
    """Numbers that are equal where texts are: shape (N, T) to (N,)."""
    rows = np.ascontiguousarray(texts)
    _, labels = np.unique(rows.view(f"V{rows.itemsize * rows.shape[1]}")[:, 0], return_inverse=True)
    return labels.astype(np.int64)


def draw_columns(texts: NDArray[np.float32], rows: NDArray[np.int64], *, rng: np.random.Generator) -> NDArray[np.int64]:
    """For each item all of its text half of the time, else one column, if anything is written there. Shape (B,)."""
    column = np.where(rng.random(len(rows)) < 0.5, 0, rng.integers(texts.shape[1], size=len(rows)))
    return np.where(texts[rows, column].any(1), column, 0)
