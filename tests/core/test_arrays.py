import time

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys.core.arrays import distinct


@given(st.lists(st.integers(-5, 5), max_size=30))
def test_it_is_what_a_set_has_in_order(values):
    assert distinct(np.array(values, np.int64)).tolist() == sorted(set(values))


def test_a_million_values_take_no_longer_than_to_sort_them_a_few_times():
    values = np.random.default_rng(0).integers(0, 1 << 40, 1_000_000)

    def seconds(work):
        began = time.perf_counter()
        work(values)
        return time.perf_counter() - began

    assert min(seconds(distinct) for _ in range(3)) < 5 * max(seconds(np.sort) for _ in range(3)) + 0.05
