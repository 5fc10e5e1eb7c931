import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.augmentation.sequences import MASKED
from recsys.augmentation.substitute import substitute
from tests.augmentation.histories import HISTORIES, NEIGHBOURS, SIMILAR, as_lists, check_view, make_sequences


@settings(deadline=None, max_examples=60)
@given(HISTORIES, st.floats(0.01, 0.99), st.integers(0, 99), st.booleans())
def test_a_share_of_items_gives_way_to_neighbours_and_times_stay(lists, share, seed, with_time):
    original = make_sequences(lists, width=9, with_time=with_time)
    view = substitute(original, similar=SIMILAR, share=share, generator=torch.Generator().manual_seed(seed))
    check_view(view, original)
    items, times = as_lists(view)
    assert times == as_lists(original)[1]
    for new, old in zip(items, lists, strict=True):
        changed = [position for position in range(len(old)) if new[position] != old[position]]
        wanted = min(max(1, int(torch.tensor(len(old)) * share)), sum(item > 0 for item in old))
        assert len(changed) == wanted
        assert all(new[position] in NEIGHBOURS[old[position]].tolist() for position in changed)


def test_hidden_items_and_items_that_nothing_is_like_stay():
    original = make_sequences([[0, MASKED, 0]])
    view = substitute(original, similar=SIMILAR, share=0.9, generator=torch.Generator().manual_seed(0))
    assert as_lists(view)[0] == [[0, MASKED, 0]]
