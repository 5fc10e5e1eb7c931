"""Popularity counts train events by idx, and log-Q is the log of the share."""

from collections import Counter

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.data.vocabulary import fit_vocabulary
from recsys.features.popularity import count_items, log_q


@settings(deadline=None, max_examples=40)
@given(st.lists(st.sampled_from(["b", "a", "10", "9", "010"]), min_size=1))
def test_every_item_is_counted_at_its_idx(events: list[str]) -> None:
    items = fit_vocabulary(pl.Series(events))
    counts = count_items(pl.DataFrame({"item_id": events}), items=items)
    assert counts.dtype == np.int64
    assert dict(zip(items.ids, counts.tolist(), strict=True)) == Counter(events)


def test_items_without_events_count_0_and_items_unknown_to_the_vocabulary_do_not_count() -> None:
    items = fit_vocabulary(pl.Series(["a", "b"]))
    assert count_items(pl.DataFrame({"item_id": ["b", "z", "b"]}), items=items).tolist() == [0, 2]


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=50))
def test_the_shares_sum_to_1_and_are_proportional_to_the_counts(counts: list[int]) -> None:
    share = np.exp(log_q(np.array(counts)).astype(np.float64))
    np.testing.assert_allclose(share.sum(), 1, rtol=1e-5)
    np.testing.assert_allclose(share, np.array(counts) / sum(counts), rtol=1e-5)


def test_log_q_is_float32_and_finite_even_for_an_item_without_events() -> None:
    values = log_q(np.array([0, 4]))
    assert values.dtype == np.float32
    assert np.isfinite(values).all()
    assert values[1] == 0
