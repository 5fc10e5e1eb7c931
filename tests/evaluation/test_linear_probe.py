import numpy as np
import pytest

from recsys.evaluation.linear_probe import macro, probe


def _world(n=200):
    vectors = np.random.default_rng(0).normal(size=(n, 6)).astype(np.float32)
    labels = [[name for name, column in (("left", 0), ("up", 1)) if row[column] > 0] for row in vectors]
    return vectors, labels


def test_what_a_line_tells_is_told_almost_surely():
    areas = probe(*_world(), seed=0)
    assert set(areas) == {"left", "up"}
    assert all(area > 0.97 for area in areas.values())


def test_labels_that_have_nothing_to_do_with_the_vectors_are_chance():
    vectors, labels = _world()
    shuffled = [labels[position] for position in np.random.default_rng(1).permutation(len(labels))]
    assert all(0.35 < area < 0.65 for area in probe(vectors, shuffled, seed=0).values())


def test_rare_labels_and_labels_of_nearly_all_are_left_out():
    vectors, _ = _world(60)
    assert probe(vectors, [["all", *(["rare"] if position < 24 else [])] for position in range(60)], seed=0) == {}


@pytest.mark.parametrize(("areas", "wanted"), [({"a": 0.5, "b": 0.9}, 0.7), ({}, None)])
def test_the_mean_is_over_labels(areas, wanted):
    assert macro(areas) == (wanted if wanted is None else pytest.approx(wanted))
