"""Two augmented views of each history of a batch, for the terms that compare them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from recsys.augmentation.compose import AugmentationSettings, Augmenter, build_augmenter
from recsys.augmentation.sequences import build_view, read_sequences
from recsys.core.knobs import take
from recsys.inference.embedding import encode_last
from recsys.models.two_tower import TwoTower
from recsys.objectives.encoded_items import EncodedItems
from recsys.objectives.term import Context
from recsys.sampling.batches import Batch


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewPairs:
    """Two views of each row.

    Attributes:
        first: One view of each.
        second: Another of each.
    """

    first: Batch
    second: Batch

    def rows(self, part: slice, device: torch.device) -> "ViewPairs":
        """See `Drawn.rows`."""
        return ViewPairs(first=self.first.rows(part).to(device), second=self.second.rows(part).to(device))

    def items(self) -> Sequence[torch.Tensor]:
        """See `Drawn.items`; hidden items and padding are none."""
        return [items_of(self.first), items_of(self.second)]

    @property
    def owner(self) -> torch.Tensor:
        """Whose the views are, those of `first` before those of `second`. Shape (2B,)."""
        return self.first.user_idx.repeat(2)


def augmenter_of(context: Context) -> Augmenter:
    """What makes views as the settings ask for them."""
    return build_augmenter(
        take(AugmentationSettings, context.values),
        context.histories,
        n_items=context.model.spec.n_items,
        most=context.model.spec.history_length,
    )


def draw_view_pairs(augmenter: Augmenter, whole: Batch, *, rng: np.random.Generator) -> ViewPairs:
    """Two views of each row of a batch, drawn independently."""
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    first, second = augmenter.two_views(read_sequences(whole), generator=generator)
    return ViewPairs(first=build_view(first, whole.user_idx), second=build_view(second, whole.user_idx))


def project_view(model: TwoTower, view: Batch, items: EncodedItems) -> torch.Tensor:
    """Views through the user tower and the head that they are compared by. Shape (B, D)."""
    if not len(view.length):
        return torch.zeros((0, model.spec.dim), device=view.length.device, requires_grad=True)
    return model.project(encode_last(model, view, history=items.history(view.item_idx)))


def items_of(batch: Batch) -> torch.Tensor:
    """The items of histories, without padding and hidden ones. Shape (N,)."""
    inside = torch.arange(batch.item_idx.shape[1]) < batch.length[:, None]  # (B, L)
    return batch.item_idx[inside & (batch.item_idx >= 0)]  # (N,)
