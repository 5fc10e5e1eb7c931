import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.augmentation.mask import mask
from recsys.augmentation.sequences import MASKED
from tests.augmentation.histories import HISTORIES, as_lists, check_view, make_sequences


@settings(deadline=None, max_examples=60)
@given(HISTORIES, st.floats(0.01, 0.99), st.integers(0, 99), st.booleans())
def test_a_share_is_hidden_one_stays_and_nothing_else_changes(lists, share, seed, with_time):
    original = make_sequences(lists, width=9, with_time=with_time)
    view = mask(original, share=share, generator=torch.Generator().manual_seed(seed))
    check_view(view, original)
    items, times = as_lists(view)
    assert times == as_lists(original)[1]
    for new, old in zip(items, lists, strict=True):
        assert new.count(MASKED) == min(max(1, int(torch.tensor(len(old)) * share)), max(0, len(old) - 1))
        assert all(one in (MASKED, other) for one, other in zip(new, old, strict=True))


def test_what_is_hidden_stays_hidden_and_one_item_is_left_even_then():
    original = make_sequences([[3, MASKED, 4, 5]])
    generator = torch.Generator().manual_seed(0)
    (items,), _ = as_lists(mask(original, share=0.99, generator=generator))
    assert items[1] == MASKED and items.count(MASKED) == 3
