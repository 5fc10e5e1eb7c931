"""Small batches of histories, and what their operators are held to."""

import torch
from hypothesis import strategies as st

from recsys.augmentation.sequences import MASKED, Sequences
from recsys.augmentation.similar_items import SimilarItems

N_ITEMS = 12


def make_sequences(lists, *, width=None, with_time=True):
    """Histories from lists of items; the times of an event are its position squared."""
    width = width or max([1, *map(len, lists)])
    item_idx = torch.zeros((len(lists), width), dtype=torch.int64)
    time = torch.zeros_like(item_idx)
    for row, items in enumerate(lists):
        item_idx[row, : len(items)] = torch.tensor(items, dtype=torch.int64)
        time[row, : len(items)] = torch.arange(len(items)) ** 2 * 10
    length = torch.tensor([len(items) for items in lists])
    return Sequences(item_idx=item_idx, time=time if with_time else None, length=length)


def as_lists(sequences):
    """Items, and times, of each row without its padding."""
    lengths = sequences.length.tolist()
    items = [row[:length] for row, length in zip(sequences.item_idx.tolist(), lengths, strict=True)]
    if sequences.time is None:
        return items, None
    return items, [row[:length] for row, length in zip(sequences.time.tolist(), lengths, strict=True)]


def check_view(view, original):
    """What every operator keeps to: padding is zero, times never fall, none is empty that was not, none all hidden."""
    assert view.item_idx.dtype == view.length.dtype == torch.int64
    assert not view.item_idx[~view.inside].any()
    items, times = as_lists(view)
    for row, old in zip(items, as_lists(original)[0], strict=True):
        assert bool(row) == bool(old)
        assert not old or any(item != MASKED for item in row)
    assert (times is None) == (original.time is None)
    if times is not None:
        assert not view.time[~view.inside].any()
        assert all(row == sorted(row) for row in times)


# Item i is like i + 1 and i + 2, round the circle; nothing is like item 0.
NEIGHBOURS = torch.tensor([[-1, -1]] + [[(item + 1) % N_ITEMS, (item + 2) % N_ITEMS] for item in range(1, N_ITEMS)])
SIMILAR = SimilarItems(NEIGHBOURS)
HISTORIES = st.lists(st.lists(st.integers(0, N_ITEMS - 1), max_size=9), min_size=1, max_size=6)
