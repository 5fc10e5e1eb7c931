import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.candidates.caps import Caps, apply_caps, search_under_caps
from recsys.index.nearest import Found, Neighbours


def _greedy(items, categories, limits, k):
    left, kept = dict(enumerate(limits)), []
    for item in items:
        mine = [c for c in categories[item] if c >= 0]
        if len(kept) < k and all(left[c] > 0 for c in mine):
            kept.append(item)
            for c in mine:
                left[c] -= 1
    return kept


def _found(lists):
    item_idx = np.array(lists, np.int32)
    score = np.where(item_idx < 0, -np.inf, 1 - 0.01 * np.arange(item_idx.shape[1])).astype(np.float32)
    return Found.of_one(Neighbours(item_idx=item_idx, score=score))


@st.composite
def _worlds(draw):
    categories = draw(st.lists(st.lists(st.integers(0, 3), unique=True, max_size=2), min_size=12, max_size=12))
    table = np.array([[*row, -1, -1][:2] for row in categories], np.int32)
    limits = draw(st.lists(st.integers(1, 3), min_size=4, max_size=4))
    orders = draw(st.lists(st.permutations(list(range(12))), min_size=1, max_size=4))
    return Caps(categories=table, limits=np.array(limits)), orders


@settings(deadline=None, max_examples=60)
@given(world=_worlds(), k=st.integers(1, 12))
def test_a_capped_list_is_that_of_a_walk_down_the_ranking(world, k):
    caps, orders = world
    capped, _ = apply_caps(_found(orders), caps, k=k)
    for row, order in enumerate(orders):
        expected = _greedy(order, caps.categories.tolist(), caps.limits.tolist(), k)
        assert capped.lists.item_idx[row].tolist() == expected + [-1] * (k - len(expected))
        assert (capped.source[row] == -1).tolist() == (capped.lists.item_idx[row] < 0).tolist()


@settings(deadline=None, max_examples=60)
@given(world=_worlds(), k=st.integers(1, 6))
def test_lists_are_fetched_until_they_are_full_or_the_catalogue_ends(world, k):
    caps, orders = world
    asked = []

    def fetch(rows, width):
        asked.append(width)
        return _found([orders[row][:width] for row in rows])

    answer = search_under_caps(fetch, caps, n_queries=len(orders), n_items=12, k=k)
    for row, order in enumerate(orders):
        expected = _greedy(order, caps.categories.tolist(), caps.limits.tolist(), k)
        assert answer.lists.item_idx[row].tolist() == expected + [-1] * (k - len(expected))
    assert max(asked) <= 12


def test_scores_stay_with_their_items():
    caps = Caps(categories=np.array([[0], [0], [-1]], np.int32), limits=np.array([1]))
    capped, is_done = apply_caps(_found([[0, 1, 2]]), caps, k=2)
    assert is_done.all()
    assert capped.lists.item_idx.tolist() == [[0, 2]]
    np.testing.assert_allclose(capped.lists.score, [[1.0, 0.98]])


def test_lists_that_no_wider_search_could_fill_are_not_widened():
    caps = Caps(categories=np.zeros((1000, 1), np.int32), limits=np.array([2]))
    asked = []

    def fetch(rows, width):
        asked.append(width)
        return _found([list(range(width)) for _ in rows])

    answer = search_under_caps(fetch, caps, n_queries=3, n_items=1000, k=5)
    assert answer.lists.item_idx.tolist() == [[0, 1, -1, -1, -1]] * 3
    assert asked == [10]
