"""Insert: before some events, another one with a similar item."""

import torch

from recsys.augmentation.draws import draw_positions, share_of
from recsys.augmentation.sequences import Sequences
from recsys.augmentation.similar_items import SimilarItems


def insert(sequences: Sequences, *, similar: SimilarItems, share: float, most: int, generator: torch.Generator) -> Sequences:
    """Insert similar items before a given share of each history's events, at least one; the last `most` events are kept.

    A new event happens at a moment drawn between the event before it and the one that it resembles.

    Args:
        sequences: B histories.
        similar: Fitted on train.
        share: Of the events, in (0, 1).
        most: L, the longest history.
        generator: On their device.

    Source: Liu et al., "CoSeRec", arXiv:2108.06479, section 4.1.1.
    """
    is_allowed = sequences.inside & similar.has_any(sequences.item_idx)  # (B, L)
    count = share_of(sequences.length, share, at_least=1).minimum(is_allowed.sum(1))  # (B,)
    chosen = draw_positions(is_allowed, count, generator)  # (B, L)
    longer = sequences.length + count  # (B,)
    width = max(1, int(longer.max())) if len(longer) else 1
    old_width = chosen.shape[1]
    old = chosen.flatten().nonzero()[:, 0]  # (N,), the events that get another one before them
    shift = (chosen.cumsum(1) - chosen.long()).flatten().index_select(0, old)  # (N,), new events before that one
    new = old + shift + old.div(old_width, rounding_mode="floor") * (width - old_width)  # (N,), where it goes
    is_new = torch.zeros((len(longer), width), dtype=torch.int64, device=longer.device)  # (B, W)
    is_new.view(-1)[new] = 1
    origin = torch.arange(width, device=longer.device)[None, :] - is_new.cumsum(1) + is_new  # (B, W)
    wider = sequences.take(origin, length=longer)
    wider.item_idx.view(-1)[new] = similar.draw(sequences.item_idx.flatten().index_select(0, old), generator)
    if wider.time is not None and sequences.time is not None:
        times = sequences.time.flatten()  # (B · L,)
        after = times.index_select(0, old)  # (N,)
        is_first = old % old_width == 0  # (N,)
        before = times.index_select(0, old - (~is_first).long())  # (N,)
        part = torch.rand(len(old), generator=generator, device=old.device, dtype=torch.float64)  # (N,)
        wider.time.view(-1)[new] = before + ((after - before) * part).long()
    cut = (longer - most).clamp(min=0)  # (B,)
    steps = torch.arange(min(width, most), device=longer.device)  # (M,)
    return wider.take(cut[:, None] + steps[None, :], length=longer - cut)
