"""Reorder: the items of one stretch of a history, shuffled."""

from dataclasses import replace

import torch

from recsys.augmentation.draws import draw_below, draw_order, share_of
from recsys.augmentation.sequences import Sequences


def reorder(sequences: Sequences, *, share: float, generator: torch.Generator) -> Sequences:
    """Shuffle the items of a stretch of a given share of each history; the times stay in their positions.

    Args:
        sequences: B histories.
        share: Of the events, in (0, 1).
        generator: On their device.

    Source: Xie et al., "CL4SRec", arXiv:2010.14395, section 3.3.3.
    """
    size = share_of(sequences.length, share, at_least=2)  # (B,)
    begin = draw_below(sequences.length - size + 1, generator)  # (B,)
    order = draw_order(begin, size, generator, width=sequences.item_idx.shape[1])  # (B, L)
    return replace(sequences, item_idx=sequences.item_idx.gather(1, order))
