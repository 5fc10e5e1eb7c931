import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.evaluation.embedding_health import effective_rank, measure_health, project_to_plane, uniformity

_NO_PAIRS = np.zeros((0, 2), np.int64)


def _measure(users, items, *, pairs=_NO_PAIRS, norms=None, counts=None):
    n_items = len(items)
    return measure_health(
        users,
        items,
        pairs=pairs,
        norms=np.ones(n_items, np.float32) if norms is None else norms,
        counts=np.ones(n_items, np.int64) if counts is None else counts,
        rng=np.random.default_rng(0),
    )


def test_alignment_is_the_mean_squared_distance_of_pairs(unit_vectors):
    users, items = unit_vectors(5, 4, seed=1), unit_vectors(7, 4, seed=2)
    pairs = np.array([[0, 3], [4, 6], [2, 2]])
    wanted = np.mean([((users[user] - items[item]) ** 2).sum() for user, item in pairs])
    assert _measure(users, items, pairs=pairs).alignment == pytest.approx(wanted, rel=1e-5)
    assert np.isnan(_measure(users, items).alignment)


@settings(deadline=None, max_examples=20)
@given(st.integers(2, 12), st.integers(0, 99))
def test_uniformity_is_the_sum_over_pairs_written_out_and_never_above_0(n, seed):
    vectors = np.random.default_rng(seed).normal(size=(n, 3))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    pairs = [np.exp(-2 * ((vectors[a] - vectors[b]) ** 2).sum()) for a in range(n) for b in range(a)]
    assert uniformity(vectors) == pytest.approx(np.log(np.mean(pairs)), abs=1e-5)
    assert uniformity(vectors) <= 1e-6


def test_evenly_spread_vectors_are_sound_and_use_all_directions(unit_vectors):
    health = _measure(unit_vectors(500, 16, seed=1), unit_vectors(400, 16, seed=2))
    assert health.faults == ()
    assert health.item_uniformity == pytest.approx(-4 + 8 / 16, abs=0.1)
    assert abs(health.item_cosine) < 0.02 and health.effective_rank > 15


def test_items_at_one_point_are_named_collapsed(unit_vectors):
    items = unit_vectors(300, 16) * 0.05 + unit_vectors(1, 16, seed=9)
    items /= np.linalg.norm(items, axis=1, keepdims=True)
    (fault,) = [fault for fault in _measure(unit_vectors(50, 16), items).faults if "two items" in fault]
    assert fault.startswith("collapsed")
    users = _measure(items, unit_vectors(300, 16)).faults
    assert len(users) == 1 and "two users" in users[0]


def test_items_on_a_line_are_named_collapsed_even_if_they_point_both_ways(unit_vectors):
    ends = np.random.default_rng(0).choice([-1.0, 1.0], (300, 1)).astype(np.float32)
    health = _measure(unit_vectors(50, 64), ends * unit_vectors(1, 64))
    assert health.effective_rank == pytest.approx(1)
    assert health.faults == ("collapsed: items make use of 1.0 directions of 64",)


def test_of_few_items_the_rank_says_nothing(unit_vectors):
    for n_items in (1, 2, 3, 10):
        assert _measure(unit_vectors(50, 64), np.eye(64, dtype=np.float32)[:n_items]).faults == ()


def test_a_hub_shows_in_the_skewness_and_items_nobody_gets_are_dead(unit_vectors):
    users = unit_vectors(300, 8)
    users[:, 0] = np.abs(users[:, 0]) + 1
    users /= np.linalg.norm(users, axis=1, keepdims=True)
    items = unit_vectors(400, 8, seed=3)
    plain = _measure(users, items)
    assert plain.n_dead > 50 and plain.n_users == 300
    spread = _measure(unit_vectors(300, 8), items)
    assert spread.hubness < plain.hubness
    assert spread.n_dead < plain.n_dead


def test_norms_are_compared_by_rank(unit_vectors):
    users, items = unit_vectors(20, 4), unit_vectors(30, 4)
    counts = np.arange(30)
    assert _measure(users, items, norms=np.exp(counts).astype(np.float32), counts=counts).norm_popularity == pytest.approx(1)
    assert _measure(users, items, counts=counts).norm_popularity == 0


def test_the_plane_keeps_most_of_the_differences(unit_vectors):
    vectors = unit_vectors(200, 6) * np.array([9, 5, 0.1, 0.1, 0.1, 0.1], np.float32)
    plane = project_to_plane(vectors)
    assert plane.shape == (200, 2)
    assert (plane**2).sum() > 0.99 * ((vectors - vectors.mean(0)) ** 2).sum()
    assert plane[:, 0].var() > plane[:, 1].var()


def test_rank_counts_directions():
    assert effective_rank(np.eye(5, dtype=np.float32)) == pytest.approx(5)
