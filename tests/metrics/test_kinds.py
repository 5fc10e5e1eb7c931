import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.metrics.kinds import intra_list_distance, kind_shares, miscalibration

KINDS = np.array([[0, -1, -1], [0, 1, -1], [2, -1, -1], [-1, -1, -1], [0, 1, 2]])


def _distance(first, second):
    """One minus the cosine of two sets."""
    a, b = ({int(kind) for kind in KINDS[item] if kind >= 0} for item in (first, second))
    return 1.0 if not a or not b else 1 - len(a & b) / math.sqrt(len(a) * len(b))


@given(st.lists(st.integers(0, 4), min_size=2, max_size=5, unique=True), st.integers(2, 6))
def test_the_distance_is_the_mean_over_all_pairs(items, k):
    pairs = [_distance(a, b) for n, a in enumerate(items[:k]) for b in items[:k][:n]]
    row = np.array([items + [-1] * (6 - len(items))])
    assert intra_list_distance(row, KINDS, ks=[k])[0, 0] == pytest.approx(sum(pairs) / len(pairs), abs=1e-12)


def test_a_list_of_one_item_has_no_distance():
    assert intra_list_distance(np.array([[2, -1], [-1, -1]]), KINDS, ks=[1, 2]).tolist() == [[0, 0], [0, 0]]


def test_every_item_counts_for_its_kinds_by_equal_parts():
    shares = kind_shares(np.array([0, 0, 2]), np.array([0, 4, 3]), KINDS, n_rows=3)
    np.testing.assert_allclose(shares, [[2 / 3, 1 / 6, 1 / 6], [0, 0, 0], [0, 0, 0]])


@given(st.integers(0, 2**32 - 1))
def test_miscalibration_is_the_smoothed_divergence_and_least_for_lists_of_ones_taste(seed):
    rng = np.random.default_rng(seed)
    lists = rng.permuted(np.tile(np.arange(5), (6, 1)), axis=1)[:, :4]
    taste = rng.dirichlet(np.ones(3), 6)
    found = miscalibration(lists, KINDS, taste, ks=[2, 4])
    for user in range(6):
        for column, k in enumerate((2, 4)):
            own = kind_shares(np.zeros(k, np.int64), lists[user, :k], KINDS, n_rows=1)[0]
            wanted = sum(p * math.log(p / (0.99 * q + 0.01 * p)) for p, q in zip(taste[user], own, strict=True))
            assert found[user, column] == pytest.approx(wanted, abs=1e-9)
            assert wanted >= -1e-12
    own = kind_shares(np.zeros(4, np.int64), lists[0], KINDS, n_rows=1)
    assert miscalibration(lists[:1], KINDS, own, ks=[4])[0, 0] == pytest.approx(0, abs=1e-9)


def test_a_user_without_taste_is_never_miscalibrated():
    assert miscalibration(np.array([[0, 2]]), KINDS, np.zeros((1, 3)), ks=[2]).tolist() == [[0]]
