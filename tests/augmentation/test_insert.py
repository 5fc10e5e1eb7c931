import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.augmentation.insert import insert
from tests.augmentation.histories import HISTORIES, NEIGHBOURS, SIMILAR, as_lists, check_view, make_sequences


def _insert(original, *, share, most, seed):
    return insert(original, similar=SIMILAR, share=share, most=most, generator=torch.Generator().manual_seed(seed))


def _is_inserted(new, old):
    """Whether the new list is the old one with neighbours put before some of its items."""
    if not new or not old:
        return not new and not old
    if new[0] == old[0] and _is_inserted(new[1:], old[1:]):
        return True
    is_neighbour = new[0] in NEIGHBOURS[old[0]].tolist()
    return is_neighbour and len(new) > 1 and new[1] == old[0] and _is_inserted(new[2:], old[1:])


@settings(deadline=None, max_examples=60)
@given(HISTORIES, st.floats(0.01, 0.99), st.integers(0, 99), st.booleans())
def test_neighbours_come_before_a_share_of_the_events_at_times_between(lists, share, seed, with_time):
    original = make_sequences(lists, width=9, with_time=with_time)
    view = _insert(original, share=share, most=40, seed=seed)
    check_view(view, original)
    items, times = as_lists(view)
    for row, (new, old) in enumerate(zip(items, lists, strict=True)):
        wanted = min(max(1, int(torch.tensor(len(old)) * share)), sum(item > 0 for item in old))
        assert len(new) == len(old) + wanted
        assert _is_inserted(new, old)
        assert times is None or {position**2 * 10 for position in range(len(old))} <= set(times[row])


@settings(deadline=None, max_examples=40)
@given(HISTORIES, st.integers(9, 12), st.integers(0, 99))
def test_of_too_many_events_the_last_are_kept(lists, most, seed):
    original = make_sequences(lists, width=9)
    whole, cut = (as_lists(_insert(original, share=0.9, most=length, seed=seed)) for length in (40, most))
    assert cut == tuple([row[-most:] for row in rows] for rows in whole)


def test_a_new_event_never_comes_last_so_the_newest_event_stays_the_newest():
    view = _insert(make_sequences([[1, 2, 3]] * 50), share=0.9, most=9, seed=0)
    assert {row[-1] for row in as_lists(view)[0]} == {3}
