"""What is drawn for one step from its whole batch, the same in all processes."""

from dataclasses import dataclass

import torch

from recsys.sampling.batches import Batch
from recsys.training.item_views import ItemViews
from recsys.training.text_term import DescribedItems


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """Random choices of a step.

    Attributes:
        n_rows: Rows of the whole batch.
        n_targets: Targets of the whole batch.
        n_anchors: Prefixes that are contrasted with each other.
        anchor: Shape (B, L) int64, the number of the prefix among the anchors; -1 if it is none.
        views: Two views of each row; None where views are not contrasted.
        item_views: None where they are not contrasted.
        described: Items and what is read of them; None where texts are not aligned.
        negative_idx: Shape (N,) item idx; None for the full softmax.
        queued_idx: Shape (Q,) item idx of targets that join the queue; None without one.
        distinct: Shape (M,), sorted, all items of this step; None for the full softmax.
    """

    n_rows: int
    n_targets: int
    n_anchors: int
    anchor: torch.Tensor
    views: tuple[Batch, Batch] | None
    item_views: ItemViews | None
    described: DescribedItems | None
    negative_idx: torch.Tensor | None
    queued_idx: torch.Tensor | None
    distinct: torch.Tensor | None

    def rows(self, part: slice, device: torch.device) -> "Draw":
        """The draw for some rows of the batch, on their device."""
        views = self.views
        return Draw(
            n_rows=self.n_rows,
            n_targets=self.n_targets,
            n_anchors=self.n_anchors,
            anchor=self.anchor[part].to(device),
            views=None if views is None else (views[0].rows(part).to(device), views[1].rows(part).to(device)),
            item_views=None if self.item_views is None else self.item_views.to(device),
            described=None if self.described is None else self.described.to(device),
            negative_idx=_move(self.negative_idx, device),
            queued_idx=_move(self.queued_idx, device),
            distinct=_move(self.distinct, device),
        )


def _move(tensor: torch.Tensor | None, device: torch.device) -> torch.Tensor | None:
    return None if tensor is None else tensor.to(device)
