import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.metrics.catalogue import coverage, gini, novelty, popularity_lift
from tests import oracles

_COUNTS = st.lists(st.integers(0, 50), min_size=1, max_size=20).filter(lambda counts: sum(counts) > 0)


@settings(deadline=None, max_examples=40)
@given(_COUNTS)
def test_gini_is_half_the_relative_mean_difference_of_all_pairs(counts):
    assert gini(np.array(counts)) == pytest.approx(oracles.gini(counts), abs=1e-12)


@settings(deadline=None, max_examples=40)
@given(_COUNTS)
def test_coverage_and_gini_lie_between_0_and_1(counts):
    assert 0 <= coverage(np.array(counts)) <= 1
    assert -1e-12 <= gini(np.array(counts)) <= 1


@settings(deadline=None, max_examples=40)
@given(_COUNTS, st.randoms(use_true_random=False))
def test_the_order_of_items_changes_nothing(counts, random):
    mixed = random.sample(counts, len(counts))
    assert gini(np.array(mixed)) == pytest.approx(gini(np.array(counts)), abs=1e-12)
    assert coverage(np.array(mixed)) == coverage(np.array(counts))


def test_gini_without_any_recommendation_is_zero():
    assert gini(np.zeros(5, int)) == 0.0


def test_coverage_counts_items_not_how_often_they_are_listed():
    assert coverage(np.array([100, 1, 0, 0])) == 0.5


def test_novelty_is_the_mean_surprise_of_the_items_listed():
    share = np.array([0.5, 0.3, 0.2])
    value = novelty(np.array([[2, 0, 1]]), share, ks=[2])[0, 0]
    assert value == pytest.approx((-math.log2(0.2) - math.log2(0.5)) / 2)


def test_novelty_of_rare_items_is_higher():
    common, rare = novelty(np.array([[0], [1]]), np.array([0.9, 0.1]), ks=[1])[:, 0]
    assert rare > common


def test_novelty_of_an_empty_list_is_zero_and_of_an_item_without_events_is_finite():
    values = novelty(np.array([[-1, -1], [1, -1]]), np.array([1.0, 0.0]), ks=[2])[:, 0]
    assert values[0] == 0.0
    assert math.isfinite(values[1])


def test_lists_as_popular_as_what_a_user_takes_have_no_lift_and_empty_ones_neither():
    counts = np.array([8, 4, 2])
    lift = popularity_lift(np.array([[1, 1], [0, -1], [-1, -1], [0, 0]]), counts, np.array([4.0, 4.0, 4.0, 0.0]), ks=[1, 2])
    assert lift.tolist() == [[0, 0], [1, 1], [0, 0], [0, 0]]
