import numpy as np

from recsys.candidates.sources.item_to_item import ItemToItemSource
from recsys.candidates.sources.source import Request
from recsys.index.exact import ExactIndex


def test_item_to_item_starts_from_the_last_three_items(unit_vectors, seen_of):
    items = unit_vectors(50, 8)
    index = ExactIndex(items)
    source = ItemToItemSource(index=index, items=items)
    seen = seen_of([[9, 7, 5, 3], [7], []])
    found = source.find(Request(user_idx=np.array([0, 1, 2]), k=4, seen=seen))
    nearest = index.search(items[[3, 5, 7]], k=4, seen=seen_of([[9, 7, 5, 3]] * 3)).item_idx
    assert set(found.item_idx[0].tolist()) <= set(nearest.flatten().tolist())
    assert set(nearest[:, 0].tolist()) <= set(found.item_idx[0].tolist())
    assert found.item_idx[1].tolist() == index.search(items[[7]], k=4, seen=seen_of([[7]])).item_idx[0].tolist()
    assert found.item_idx[2].tolist() == [-1] * 4


def test_where_what_was_seen_is_kept_it_is_still_the_history(unit_vectors, seen_of):
    items = unit_vectors(50, 8)
    source = ItemToItemSource(index=ExactIndex(items), items=items)
    found = source.find(Request(user_idx=np.array([0, 1]), k=4, seen=seen_of([[9, 7], [3]]), keeps_seen=True))
    assert found.item_idx[1, 0] == 3  # nothing is nearer to an item than itself
