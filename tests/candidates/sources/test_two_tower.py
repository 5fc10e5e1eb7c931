import numpy as np

from recsys.candidates.sources.source import Request
from recsys.candidates.sources.two_tower import TwoTowerSource
from recsys.index.exact import ExactIndex


def test_the_two_tower_source_is_the_index_asked_with_the_vectors_of_the_users(unit_vectors, seen_of):
    items, users = unit_vectors(50, 8), unit_vectors(4, 8, seed=1)
    source = TwoTowerSource(index=ExactIndex(items), users=users)
    seen = seen_of([[1, 2], [3]])
    found = source.find(Request(user_idx=np.array([2, 0]), k=5, seen=seen))
    assert found.item_idx.tolist() == ExactIndex(items).search(users[[2, 0]], k=5, seen=seen).item_idx.tolist()


def test_where_what_was_seen_is_kept_it_is_no_filter(unit_vectors, seen_of):
    source = TwoTowerSource(index=ExactIndex(unit_vectors(50, 8)), users=unit_vectors(2, 8, seed=1))
    found = source.find(Request(user_idx=np.array([0, 1]), k=50, seen=seen_of([[9, 7], [3]]), keeps_seen=True))
    assert {9, 7} <= set(found.item_idx[0].tolist())
