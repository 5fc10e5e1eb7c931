"""Crop: one stretch of a history in a row."""

import torch

from recsys.augmentation.draws import draw_below, share_of
from recsys.augmentation.sequences import Sequences


def crop(sequences: Sequences, *, share: float, generator: torch.Generator) -> Sequences:
    """Keep a stretch of a given share of each history, at least one event; every stretch is as likely as another.

    Args:
        sequences: B histories.
        share: Of the events, in (0, 1).
        generator: On their device.

    Source: Xie et al., "CL4SRec", arXiv:2010.14395, section 3.3.1.
    """
    kept = share_of(sequences.length, share, at_least=1)  # (B,)
    begin = draw_below(sequences.length - kept + 1, generator)  # (B,)
    steps = torch.arange(sequences.item_idx.shape[1], device=kept.device)  # (L,)
    return sequences.take(begin[:, None] + steps[None, :], length=kept)
