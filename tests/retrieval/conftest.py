"""Seen items from plain lists."""

import numpy as np
import pytest

from recsys.retrieval.filters import SeenItems


@pytest.fixture
def seen_of():
    """Lay out one list of item idx a row, with a stranger's items before and behind."""

    def build(lists):
        lengths = np.array([len(items) for items in lists], np.int64)
        flat = np.array([0, 1, *(item for items in lists for item in items), 2], np.int32)
        ends = 2 + np.cumsum(lengths)
        return SeenItems(item_idx=flat, starts=ends - lengths, ends=ends)

    return build
