"""Negatives come from where they are said to come, as often as log-Q says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.features.popularity import log_q
from recsys.sampling.negatives import NegativeCounts, NegativeSampler, mixture_log_q


def _rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def _counts(n_in_batch: int = 0, n_uniform: int = 0, n_popular: int = 0) -> NegativeCounts:
    return NegativeCounts(n_in_batch=n_in_batch, n_uniform=n_uniform, n_popular=n_popular)


def _sampler(item_counts: list[int], counts: NegativeCounts) -> NegativeSampler:
    return NegativeSampler(log_q(np.array(item_counts)), counts=counts)


_DRAWS = st.builds(_counts, st.integers(0, 20), st.integers(0, 20), st.integers(0, 20))


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 9), min_size=1), _DRAWS, st.integers(0, 99))
def test_as_many_are_drawn_as_asked_and_the_first_are_positives(
    positives: list[int], counts: NegativeCounts, seed: int
) -> None:
    drawn = _sampler([1] * 10, counts).sample(np.array(positives), rng=_rng(seed))
    assert (drawn.shape, drawn.dtype) == ((counts.n_in_batch + counts.n_uniform + counts.n_popular,), np.int64)
    assert set(drawn[: counts.n_in_batch]) <= set(positives)
    assert set(drawn) <= set(range(10))


def test_the_same_generator_state_draws_the_same_negatives() -> None:
    sampler = _sampler(list(range(1, 501)), _counts(30, 30, 30))
    first, again = (sampler.sample(np.arange(50), rng=_rng(3)).tolist() for _ in range(2))
    assert first == again


def test_uniform_draws_reach_the_whole_catalogue_evenly() -> None:
    drawn = _sampler([9, 1, 1, 1, 1], _counts(n_uniform=50_000)).sample(np.array([0]), rng=_rng())
    np.testing.assert_allclose(np.bincount(drawn, minlength=5) / 50_000, 0.2, atol=0.01)


def test_popular_draws_follow_the_share_of_events_whatever_the_batch() -> None:
    drawn = _sampler([50_000, 30_000, 15_000, 5_000, 0], _counts(n_popular=50_000)).sample(np.array([4]), rng=_rng())
    np.testing.assert_allclose(np.bincount(drawn, minlength=5) / 50_000, [0.5, 0.3, 0.15, 0.05, 0], atol=0.01)


@pytest.mark.parametrize("counts", [_counts(0, 100), _counts(100), _counts(60, 40), _counts(4, 256), _counts(20, 20, 60)])
def test_the_mixtures_log_q_is_the_log_of_how_often_an_item_is_drawn(counts: NegativeCounts) -> None:
    item_counts, n_rounds = np.array([60, 25, 10, 4, 1]), 2_000
    events, rng, sampler = np.repeat(np.arange(5), item_counts), _rng(1), _sampler([60, 25, 10, 4, 1], counts)
    seen = np.zeros(5)
    for _ in range(n_rounds):
        seen += np.bincount(sampler.sample(rng.choice(events, 32), rng=rng), minlength=5)
    np.testing.assert_allclose(seen / n_rounds, np.exp(sampler.log_expected), rtol=0.08)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(1, 1_000), min_size=1, max_size=20), _DRAWS)
def test_the_expected_numbers_of_all_items_sum_to_the_number_of_negatives(
    item_counts: list[int], counts: NegativeCounts
) -> None:
    values = mixture_log_q(log_q(np.array(item_counts)), counts=counts)
    assert values.dtype == np.float32
    assert np.isfinite(values).all()
    total = counts.n_in_batch + counts.n_uniform + counts.n_popular
    np.testing.assert_allclose(np.exp(values.astype(np.float64)).sum(), total, rtol=1e-4, atol=1e-6)
