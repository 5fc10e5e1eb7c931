import numpy as np
import pytest

from recsys.candidates.sources.in_order import OrderedSource, fresh_order
from recsys.candidates.sources.source import Request

_DAY = 86_400
_EVENTS = np.array([3, 3, 0, 1, 1, 1, 2])
_TIMES = np.array([0, 1, 90, 95, 99, 100, 100]) * _DAY


def test_fresh_items_are_those_seen_first_in_the_last_days_newest_first():
    assert fresh_order(_EVENTS, _TIMES, n_items=5, days=6).tolist() == [2, 1]
    assert fresh_order(_EVENTS, _TIMES, n_items=5, days=1000).tolist() == [2, 1, 0, 3]


@pytest.mark.parametrize("allowed", [None, [0, 2, 3, 4]])
def test_an_order_skips_what_a_user_has_seen_and_what_is_not_allowed(seen_of, allowed):
    mask = None if allowed is None else np.isin(np.arange(6), allowed)
    source = OrderedSource(order=np.array([4, 1, 3, 0], np.int32))
    found = source.find(Request(user_idx=np.array([0, 1, 2]), k=3, seen=seen_of([[4], [], [0, 1, 3, 4]]), allowed=mask))
    expected = [[1, 3, 0], [4, 1, 3], [-1, -1, -1]] if allowed is None else [[3, 0, -1], [4, 3, 0], [-1, -1, -1]]
    assert found.item_idx.tolist() == expected
    assert (np.isneginf(found.score) == (found.item_idx < 0)).all()


def test_an_empty_order_gives_empty_lists(seen_of):
    found = OrderedSource(order=np.zeros(0, np.int32)).find(Request(user_idx=np.array([0]), k=2, seen=seen_of([[1]])))
    assert found.item_idx.tolist() == [[-1, -1]]


def test_where_what_was_seen_is_kept_it_is_no_filter(seen_of):
    order = OrderedSource(order=np.array([3, 9], np.int32))
    found = order.find(Request(user_idx=np.array([0, 1]), k=2, seen=seen_of([[9, 7], [3]]), keeps_seen=True))
    assert found.item_idx.tolist() == [[3, 9], [3, 9]]
