"""Which items are like which: those that follow each other closely in train histories."""

import numpy as np
import torch
from numpy.typing import NDArray

from recsys.augmentation.draws import draw_below
from recsys.augmentation.sequences import MASKED
from recsys.sampling.batches import Histories


def fit_similar_items(
    histories: Histories, *, n_items: int, n_neighbours: int, window: int, chunk_events: int = 4_000_000
) -> NDArray[np.int64]:
    """The items with the highest cosine of co-occurrence, from train events alone.

    Two items occur together as often as events of one user with them lie at most `window` events apart.

    Args:
        histories: All users; what lies behind `train_end` is not looked at.
        n_items: I.
        n_neighbours: K, at most so many for each item.
        window: In events.
        chunk_events: Events looked at in one go; memory grows with them.

    Returns:
        Shape (I, K) int64, the most similar first; -1 where there are no more.

    Source: item-to-item similarity by co-occurrence, as in Liu et al., "CoSeRec", arXiv:2108.06479, section 4.2.
    """
    keys, counts = np.zeros(0, np.int64), np.zeros(0, np.int64)
    for begin in range(0, len(histories.item_idx), chunk_events):
        for distance in range(1, window + 1):
            found, times = np.unique(_pair_keys(histories, begin, begin + chunk_events, distance, n_items), return_counts=True)
            keys, counts = _add_up(np.concatenate([keys, found]), np.concatenate([counts, times]))
    first, second = np.divmod(keys, n_items)
    keys, counts = _add_up(np.concatenate([keys, second * n_items + first]), np.tile(counts, 2))
    first, second = np.divmod(keys, n_items)
    total = np.bincount(first, weights=counts, minlength=n_items)
    similarity = counts / np.sqrt(total[first] * total[second])
    order = np.lexsort((second, -similarity, first))
    first, second = first[order], second[order]
    rank = np.arange(len(first)) - np.searchsorted(first, first, side="left")
    neighbours = np.full((n_items, n_neighbours), -1, np.int64)
    kept = rank < n_neighbours
    neighbours[first[kept], rank[kept]] = second[kept]
    return neighbours


class SimilarItems:
    """Draws an item like a given one.

    Args:
        neighbours: Shape (I, K) int64, as `fit_similar_items` gives them.
    """

    def __init__(self, neighbours: torch.Tensor) -> None:
        self.neighbours = neighbours
        self.count = (neighbours >= 0).sum(1)  # (I,)
        self._is_known = torch.cat([self.count > 0, self.count.new_zeros(1, dtype=torch.bool)])  # (I + 1,), the last: hidden

    def to(self, device: torch.device) -> "SimilarItems":
        """The same on another device."""
        return SimilarItems(self.neighbours.to(device))

    def has_any(self, item_idx: torch.Tensor) -> torch.Tensor:
        """Whether something is known to be like an item; never for one that is hidden. Same shape, bool."""
        row = torch.where(item_idx == MASKED, len(self.count), item_idx).flatten()
        return self._is_known.index_select(0, row).view_as(item_idx)

    def draw(self, item_idx: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """One of each item's neighbours, each as likely. Shape (N,) item idx to (N,)."""
        drawn = draw_below(self.count.index_select(0, item_idx), generator)  # (N,)
        return self.neighbours.flatten().index_select(0, item_idx * self.neighbours.shape[1] + drawn)  # (N,)


def _pair_keys(histories: Histories, begin: int, end: int, distance: int, n_items: int) -> NDArray[np.int64]:
    """One number a pair of train events of one user at this distance, the smaller item first."""
    end = min(end, len(histories.item_idx) - distance)
    later = np.arange(begin, max(begin, end)) + distance
    user = np.searchsorted(histories.offsets, later, side="right") - 1
    later = later[(later - distance >= histories.offsets[user]) & (later < histories.train_end[user])]
    pair = np.stack([histories.item_idx[later - distance], histories.item_idx[later]]).astype(np.int64)
    pair = np.sort(pair[:, pair[0] != pair[1]], axis=0)
    keys: NDArray[np.int64] = pair[0] * n_items + pair[1]
    return keys


def _add_up(keys: NDArray[np.int64], counts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    distinct, group = np.unique(keys, return_inverse=True)
    return distinct, np.bincount(group, weights=counts, minlength=len(distinct)).astype(np.int64)
