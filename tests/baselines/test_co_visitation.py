import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.baselines.co_visitation import co_visitation_ranker, fit_co_visitation
from tests.baselines.conftest import data_of_rows

ROWS = [
    (user, (3 * user + position * (1 + user % 2)) % 7, position // (1 + user % 3)) for user in range(9) for position in range(8)
]


def _counts(rows, window):
    """Pairs by loops over each user's events."""
    counts = np.zeros((7, 7))
    for user in range(9):
        events = [(second, item) for owner, item, second in rows if owner == user]
        times = sorted({second for second, _ in events})
        for first, (time, item) in enumerate(events):
            for later, other in events[first + 1 :]:
                distance = times.index(later) - times.index(time)
                if item != other and distance <= window:
                    counts[item, other] += 1 / max(distance, 1)
                    counts[other, item] += distance == 0
    return counts


@pytest.mark.parametrize("block", [1, 20, 1_000_000])
@pytest.mark.parametrize("window", [1, 3, 8])
def test_counts_are_those_of_the_loops_whatever_the_blocks(data_of_events, window, block):
    data, counts = data_of_events(ROWS, n_items=7), _counts(ROWS, window)
    n_events = np.bincount([item for _, item, _ in ROWS], minlength=7)
    share = fit_co_visitation(data, window=window, normalisation="share", block_events=block).toarray()
    np.testing.assert_allclose(share, counts / np.maximum(counts.sum(1, keepdims=True), 1), atol=1e-6)
    cosine = fit_co_visitation(data, window=window, normalisation="cosine", block_events=block).toarray()
    np.testing.assert_allclose(cosine, counts / np.sqrt(np.outer(n_events, n_events)), atol=1e-6)


@settings(deadline=None, max_examples=30)
@given(st.permutations(range(6)))
def test_the_order_of_rows_within_a_moment_changes_nothing(order):
    rows = [(0, item, 1) for item in range(3)] + [(0, item, 2) for item in range(3, 6)]
    first, second = (
        fit_co_visitation(data_of_rows(each, n_items=6), window=5, normalisation="share").toarray()
        for each in (rows, [rows[position] for position in order])
    )
    assert (first[:3, :3] > 0).sum() == 6  # every pair of a basket, both ways
    np.testing.assert_allclose(first[:3, :3], second[:3, :3], atol=1e-6)


def test_a_window_of_1_is_a_first_order_chain(data_of_events):
    data = data_of_events([(0, 0, 0), (0, 1, 1), (1, 0, 0), (1, 2, 1), (2, 0, 0), (2, 1, 1)], n_items=3)
    followers = fit_co_visitation(data, window=1, normalisation="share").toarray()
    assert followers[0].tolist() == pytest.approx([0, 2 / 3, 1 / 3])


def test_the_last_items_of_a_history_weigh_most(data_of_events, scores_of):
    data = data_of_events([(0, 0, 0), (0, 1, 1), (1, 0, 0), (1, 2, 1), (2, 1, 0), (2, 3, 1)], n_items=4)
    followers = fit_co_visitation(data, window=1, normalisation="share")
    scores = scores_of(co_visitation_ranker(data, followers, half_life=1.0), [0], n_items=4)[0]
    assert scores[3] == pytest.approx(1.0)
    assert scores[2] == pytest.approx(0.5 * 0.5)
    assert math.isclose(scores[1], 0.25)
