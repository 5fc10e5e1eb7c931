"""Substitute: some items give way to similar ones."""

from dataclasses import replace

import torch

from recsys.augmentation.draws import draw_positions, share_of
from recsys.augmentation.sequences import Sequences
from recsys.augmentation.similar_items import SimilarItems


def substitute(sequences: Sequences, *, similar: SimilarItems, share: float, generator: torch.Generator) -> Sequences:
    """Replace a given share of each history's items, at least one, by similar items; the times stay.

    Items that nothing is like stay too.

    Args:
        sequences: B histories.
        similar: Fitted on train.
        share: Of the events, in (0, 1).
        generator: On their device.

    Source: Liu et al., "CoSeRec", arXiv:2108.06479, section 4.1.2.
    """
    is_allowed = sequences.inside & similar.has_any(sequences.item_idx)  # (B, L)
    count = share_of(sequences.length, share, at_least=1).minimum(is_allowed.sum(1))  # (B,)
    chosen = draw_positions(is_allowed, count, generator)  # (B, L)
    position = chosen.flatten().nonzero()[:, 0]  # (N,)
    item_idx = sequences.item_idx.flatten().clone()  # (B · L,)
    item_idx[position] = similar.draw(item_idx.index_select(0, position), generator)
    return replace(sequences, item_idx=item_idx.view_as(sequences.item_idx))
