import numpy as np
import pytest

from recsys.candidates.sources import ItemToItemSource, OrderedSource, TwoTowerSource, fresh_order, recent_order
from recsys.index.exact import ExactIndex

_DAY = 86_400
_EVENTS = np.array([3, 3, 0, 1, 1, 1, 2])
_TIMES = np.array([0, 1, 90, 95, 99, 100, 100]) * _DAY


def test_recent_popularity_counts_the_last_days_only():
    assert recent_order(_EVENTS, _TIMES, n_items=5, days=6).tolist() == [1, 2]
    assert recent_order(_EVENTS, _TIMES, n_items=5, days=1000).tolist() == [1, 3, 0, 2]


def test_fresh_items_are_those_seen_first_in_the_last_days_newest_first():
    assert fresh_order(_EVENTS, _TIMES, n_items=5, days=6).tolist() == [2, 1]
    assert fresh_order(_EVENTS, _TIMES, n_items=5, days=1000).tolist() == [2, 1, 0, 3]


@pytest.mark.parametrize("allowed", [None, [0, 2, 3, 4]])
def test_an_order_skips_what_a_user_has_seen_and_what_is_not_allowed(seen_of, allowed):
    mask = None if allowed is None else np.isin(np.arange(6), allowed)
    source = OrderedSource(order=np.array([4, 1, 3, 0], np.int32))
    found = source.find(np.array([0, 1, 2]), k=3, seen=seen_of([[4], [], [0, 1, 3, 4]]), allowed=mask)
    expected = [[1, 3, 0], [4, 1, 3], [-1, -1, -1]] if allowed is None else [[3, 0, -1], [4, 3, 0], [-1, -1, -1]]
    assert found.item_idx.tolist() == expected
    assert (np.isneginf(found.score) == (found.item_idx < 0)).all()


def test_an_empty_order_gives_empty_lists(seen_of):
    found = OrderedSource(order=np.zeros(0, np.int32)).find(np.array([0]), k=2, seen=seen_of([[1]]), allowed=None)
    assert found.item_idx.tolist() == [[-1, -1]]


def test_the_two_tower_source_is_the_index_asked_with_the_vectors_of_the_users(unit_vectors, seen_of):
    items, users = unit_vectors(50, 8), unit_vectors(4, 8, seed=1)
    source = TwoTowerSource(index=ExactIndex(items), users=users)
    seen = seen_of([[1, 2], [3]])
    found = source.find(np.array([2, 0]), k=5, seen=seen, allowed=None)
    assert found.item_idx.tolist() == ExactIndex(items).search(users[[2, 0]], k=5, seen=seen).item_idx.tolist()


def test_item_to_item_starts_from_the_last_three_items(unit_vectors, seen_of):
    items = unit_vectors(50, 8)
    index = ExactIndex(items)
    source = ItemToItemSource(index=index, items=items)
    seen = seen_of([[9, 7, 5, 3], [7], []])
    found = source.find(np.array([0, 1, 2]), k=4, seen=seen, allowed=None)
    nearest = index.search(items[[3, 5, 7]], k=4, seen=seen_of([[9, 7, 5, 3]] * 3)).item_idx
    assert set(found.item_idx[0].tolist()) <= set(nearest.flatten().tolist())
    assert set(nearest[:, 0].tolist()) <= set(found.item_idx[0].tolist())
    assert found.item_idx[1].tolist() == index.search(items[[7]], k=4, seen=seen_of([[7]])).item_idx[0].tolist()
    assert found.item_idx[2].tolist() == [-1] * 4


def test_where_what_was_seen_is_kept_it_is_no_filter_and_still_the_history(unit_vectors, seen_of):
    items, users = unit_vectors(50, 8), unit_vectors(2, 8, seed=1)
    index, seen, asked = ExactIndex(items), seen_of([[9, 7], [3]]), np.array([0, 1])
    towers = TwoTowerSource(index=index, users=users).find(asked, k=50, seen=seen, allowed=None, keeps_seen=True)
    assert {9, 7} <= set(towers.item_idx[0].tolist())
    similar = ItemToItemSource(index=index, items=items).find(asked, k=4, seen=seen, allowed=None, keeps_seen=True)
    assert similar.item_idx[1, 0] == 3  # nothing is nearer to an item than itself
    order = OrderedSource(order=np.array([3, 9], np.int32)).find(asked, k=2, seen=seen, allowed=None, keeps_seen=True)
    assert order.item_idx.tolist() == [[3, 9], [3, 9]]
