"""Negatives come from where they are said to come, as often as log-Q says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.sampling.negatives import mixture_log_q, sample_negatives
from recsys.sampling.popularity import log_q


def _rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 9), min_size=1), st.integers(0, 20), st.integers(0, 20), st.integers(0, 99))
def test_as_many_are_drawn_as_asked_and_the_first_are_positives(
    positives: list[int], n_uniform: int, n_in_batch: int, seed: int
) -> None:
    drawn = sample_negatives(np.array(positives), n_items=10, n_uniform=n_uniform, n_in_batch=n_in_batch, rng=_rng(seed))
    assert (drawn.shape, drawn.dtype) == ((n_uniform + n_in_batch,), np.int64)
    assert set(drawn[:n_in_batch]) <= set(positives)
    assert set(drawn) <= set(range(10))


def test_the_same_generator_state_draws_the_same_negatives() -> None:
    first, again = (
        sample_negatives(np.arange(50), n_items=500, n_uniform=30, n_in_batch=30, rng=_rng(3)).tolist() for _ in range(2)
    )
    assert first == again


def test_uniform_draws_reach_the_whole_catalogue_evenly() -> None:
    drawn = sample_negatives(np.array([0]), n_items=5, n_uniform=50_000, n_in_batch=0, rng=_rng())
    np.testing.assert_allclose(np.bincount(drawn, minlength=5) / 50_000, 0.2, atol=0.01)


@pytest.mark.parametrize(("n_uniform", "n_in_batch"), [(100, 0), (0, 100), (40, 60), (256, 4)])
def test_the_mixtures_log_q_is_the_log_of_how_often_an_item_is_drawn(n_uniform: int, n_in_batch: int) -> None:
    counts, n_rounds = np.array([60, 25, 10, 4, 1]), 2_000
    events, rng = np.repeat(np.arange(5), counts), _rng(1)
    seen = np.zeros(5)
    for _ in range(n_rounds):
        batch = rng.choice(events, 32)
        drawn = sample_negatives(batch, n_items=5, n_uniform=n_uniform, n_in_batch=n_in_batch, rng=rng)
        seen += np.bincount(drawn, minlength=5)
    expected = np.exp(mixture_log_q(log_q(counts), n_uniform=n_uniform, n_in_batch=n_in_batch))
    np.testing.assert_allclose(seen / n_rounds, expected, rtol=0.08)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(1, 1_000), min_size=1, max_size=20), st.integers(0, 50), st.integers(0, 50))
def test_the_expected_numbers_of_all_items_sum_to_the_number_of_negatives(
    counts: list[int], n_uniform: int, n_in_batch: int
) -> None:
    values = mixture_log_q(log_q(np.array(counts)), n_uniform=n_uniform, n_in_batch=n_in_batch)
    assert values.dtype == np.float32
    assert np.isfinite(values).all()
    np.testing.assert_allclose(np.exp(values.astype(np.float64)).sum(), n_uniform + n_in_batch, rtol=1e-4, atol=1e-6)
