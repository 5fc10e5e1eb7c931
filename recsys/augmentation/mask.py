"""Mask: hide the items of some events, not that something happened then."""

from dataclasses import replace

import torch

from recsys.augmentation.draws import draw_positions, share_of
from recsys.augmentation.sequences import MASKED, Sequences


def mask(sequences: Sequences, *, share: float, generator: torch.Generator) -> Sequences:
    """Hide a given share of each history's items, at least one, and leave at least one.

    Args:
        sequences: B histories.
        share: Of the events, in (0, 1).
        generator: On their device.

    Source: Xie et al., "CL4SRec", arXiv:2010.14395, section 3.3.2.
    """
    is_real = sequences.inside & (sequences.item_idx != MASKED)  # (B, L)
    n_real = is_real.sum(1)  # (B,)
    count = share_of(n_real, share, at_least=1).minimum((n_real - 1).clamp(min=0))  # (B,)
    hidden = draw_positions(is_real, count, generator)  # (B, L)
    return replace(sequences, item_idx=sequences.item_idx.masked_fill(hidden, MASKED))
