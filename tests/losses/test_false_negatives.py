import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.losses.false_negatives import same_item

_ITEMS = st.lists(st.integers(0, 5), min_size=1, max_size=8)


@settings(deadline=None, max_examples=40)
@given(_ITEMS, _ITEMS)
def test_exactly_the_equal_items_are_marked(positives, negatives):
    marked = same_item(torch.tensor(positives), torch.tensor(negatives))
    assert marked.tolist() == [[positive == negative for negative in negatives] for positive in positives]
