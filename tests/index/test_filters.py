import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.index.filters import n_possible

_LISTS = st.lists(st.lists(st.integers(0, 9), max_size=5), min_size=1, max_size=6)
_once = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


@_once
@given(lists=_LISTS)
def test_pairs_are_all_rows_with_all_their_items(seen_of, lists):
    row, item = seen_of(lists).pairs()
    assert list(zip(row.tolist(), item.tolist(), strict=True)) == [(r, i) for r, items in enumerate(lists) for i in items]


@_once
@given(lists=_LISTS)
def test_counts_and_rows_are_those_of_the_lists(seen_of, lists):
    seen = seen_of(lists)
    assert seen.counts().tolist() == [len(items) for items in lists]
    assert [seen.row(row).tolist() for row in range(len(lists))] == lists


@_once
@given(lists=_LISTS, data=st.data())
def test_a_part_keeps_the_rows_asked_for(seen_of, lists, data):
    chosen = data.draw(st.lists(st.integers(0, len(lists) - 1), max_size=6))
    part = seen_of(lists).rows(np.array(chosen, np.int64))
    row, item = part.pairs()
    assert list(zip(row.tolist(), item.tolist(), strict=True)) == [(r, i) for r, c in enumerate(chosen) for i in lists[c]]
    assert [part.row(row).tolist() for row in range(len(chosen))] == [lists[row] for row in chosen]


def test_a_slice_keeps_its_rows(seen_of):
    assert seen_of([[1], [2, 3], [4]]).rows(slice(1, 3)).pairs()[1].tolist() == [2, 3, 4]


@_once
@given(lists=_LISTS, data=st.data())
def test_under_new_numbers_each_row_keeps_the_items_that_have_one(seen_of, lists, data):
    numbers = np.array(data.draw(st.lists(st.integers(-1, 30), min_size=10, max_size=10)), np.int32)
    renumbered = seen_of(lists).renumber(numbers)
    expected = [[int(numbers[item]) for item in items if numbers[item] >= 0] for items in lists]
    assert [renumbered.row(row).tolist() for row in range(len(lists))] == expected


@_once
@given(lists=_LISTS, allowed=st.lists(st.booleans(), min_size=10, max_size=10), k=st.integers(1, 12))
def test_a_list_can_be_as_long_as_what_is_allowed_and_unseen(seen_of, lists, allowed, k):
    mask = np.array(allowed)
    expected = [min(k, len(set(np.flatnonzero(mask).tolist()) - set(items))) for items in lists]
    assert n_possible(seen_of(lists), k=k, n_items=10, allowed=mask).tolist() == expected
    everything = [min(k, 10 - len(set(items))) for items in lists]
    assert n_possible(seen_of(lists), k=k, n_items=10, allowed=None).tolist() == everything
