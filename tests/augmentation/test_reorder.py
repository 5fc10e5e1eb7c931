import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.augmentation.reorder import reorder
from tests.augmentation.histories import HISTORIES, as_lists, check_view, make_sequences


@settings(deadline=None, max_examples=60)
@given(HISTORIES, st.floats(0.01, 0.99), st.integers(0, 99), st.booleans())
def test_the_same_items_at_the_same_times_and_only_one_stretch_moved(lists, share, seed, with_time):
    original = make_sequences(lists, width=9, with_time=with_time)
    view = reorder(original, share=share, generator=torch.Generator().manual_seed(seed))
    check_view(view, original)
    items, times = as_lists(view)
    assert times == as_lists(original)[1]
    for new, old in zip(items, lists, strict=True):
        assert sorted(new) == sorted(old)
        moved = [position for position in range(len(old)) if new[position] != old[position]]
        size = min(len(old), max(2, int(torch.tensor(len(old)) * share)))
        assert not moved or moved[-1] - moved[0] < size


def test_a_long_stretch_is_really_shuffled():
    original = make_sequences([list(range(50))])
    view = reorder(original, share=0.8, generator=torch.Generator().manual_seed(0))
    assert 25 < int((view.item_idx != original.item_idx).sum()) <= 40
