import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.metrics.list_similarity import overlap, rank_biased_overlap

_LIST = st.lists(st.integers(0, 9), unique=True, min_size=5, max_size=5)


def _rbo(first, second, p):
    depth = len(first)
    shared = [len(set(first[:d]) & set(second[:d])) for d in range(1, depth + 1)]
    return shared[-1] / depth * p**depth + (1 - p) / p * sum(x / d * p**d for d, x in enumerate(shared, start=1))


@settings(deadline=None, max_examples=80)
@given(first=_LIST, second=_LIST, p=st.floats(0.1, 0.95))
def test_rank_biased_overlap_is_the_sum_written_out(first, second, p):
    found = rank_biased_overlap(np.array([first]), np.array([second]), persistence=p)
    assert found[0] == pytest.approx(_rbo(first, second, p))
    assert 0 <= found[0] <= 1 + 1e-12


@settings(deadline=None, max_examples=80)
@given(first=_LIST, second=_LIST)
def test_overlap_is_the_share_of_common_items_whatever_the_order(first, second):
    expected = len(set(first) & set(second)) / 5
    assert overlap(np.array([first]), np.array([second]))[0] == expected
    assert overlap(np.array([first]), np.array([sorted(second)]))[0] == expected


def test_lists_are_alike_to_themselves_and_empty_ones_to_each_other():
    lists = np.array([[3, 1, 2], [4, -1, -1], [-1, -1, -1]])
    assert overlap(lists, lists).tolist() == [1.0, 1.0, 1.0]
    assert overlap(lists[1:2], lists[:1]).tolist() == [0.0]
    np.testing.assert_allclose(rank_biased_overlap(lists, lists), 1)
    assert rank_biased_overlap(lists[1:2], lists[2:])[0] == 0


def test_a_change_at_the_top_weighs_more_than_one_at_the_end():
    base, top, end = np.array([[1, 2, 3, 4]]), np.array([[9, 2, 3, 4]]), np.array([[1, 2, 3, 9]])
    assert rank_biased_overlap(base, top)[0] < rank_biased_overlap(base, end)[0]
