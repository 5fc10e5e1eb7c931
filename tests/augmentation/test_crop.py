import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.augmentation.crop import crop
from tests.augmentation.histories import HISTORIES, as_lists, check_view, make_sequences


@settings(deadline=None, max_examples=60)
@given(HISTORIES, st.floats(0.01, 0.99), st.integers(0, 99), st.booleans())
def test_a_crop_is_a_stretch_of_the_history_with_its_times(lists, share, seed, with_time):
    original = make_sequences(lists, width=9, with_time=with_time)
    view = crop(original, share=share, generator=torch.Generator().manual_seed(seed))
    check_view(view, original)
    items, times = as_lists(view)
    for row, old in enumerate(lists):
        n_kept = len(items[row])
        assert n_kept == min(len(old), max(1, int(torch.tensor(len(old)) * share)))
        begins = [begin for begin in range(len(old) - n_kept + 1) if old[begin : begin + n_kept] == items[row]]
        assert begins
        assert times is None or any(
            times[row] == [position**2 * 10 for position in range(begin, begin + n_kept)] for begin in begins
        )


def test_every_stretch_is_as_likely_as_another():
    original = make_sequences([[1, 2, 3, 4]] * 3_000)
    view = crop(original, share=0.5, generator=torch.Generator().manual_seed(0))
    begins = view.item_idx[:, 0].bincount(minlength=5)[1:].tolist()
    assert begins[3] == 0 and all(abs(times - 1_000) < 150 for times in begins[:3])
