import numpy as np
import pytest

from recsys.retrieval import exact
from recsys.retrieval.exact import ExactIndex


def _by_argsort(queries, items, *, k, seen=None):
    scores = queries.astype(np.float64) @ items.astype(np.float64).T
    for row, left_out in enumerate(seen or []):
        scores[row, left_out] = -np.inf
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return order, np.take_along_axis(scores, order, 1)


@pytest.fixture
def many_blocks(monkeypatch):
    """Blocks of two queries."""
    monkeypatch.setattr(exact, "_BLOCK_SCORES", 300)


@pytest.mark.parametrize("k", [1, 10, 120])
def test_answers_are_those_of_a_full_sort(unit_vectors, many_blocks, k):
    items, queries = unit_vectors(120, 8), unit_vectors(33, 8, seed=1)
    found = ExactIndex(items).search(queries, k=k)
    order, scores = _by_argsort(queries, items, k=k)
    assert found.item_idx.tolist() == order.tolist()
    np.testing.assert_allclose(found.score, scores, atol=1e-6)


def test_seen_items_are_left_out_and_lists_are_still_full(unit_vectors, seen_of, many_blocks):
    items, queries, rng = unit_vectors(120, 8), unit_vectors(33, 8, seed=1), np.random.default_rng(0)
    seen = [rng.choice(120, rng.integers(0, 100), replace=False).tolist() for _ in range(33)]
    found = ExactIndex(items).search(queries, k=20, seen=seen_of(seen))
    order, _ = _by_argsort(queries, items, k=20, seen=seen)
    assert found.item_idx.tolist() == order.tolist()


def test_a_list_is_short_only_when_nothing_is_left(unit_vectors, seen_of):
    found = ExactIndex(unit_vectors(5, 4)).search(unit_vectors(2, 4, seed=1), k=4, seen=seen_of([[0, 1, 2], []]))
    assert found.item_idx[0, 2:].tolist() == [-1, -1]
    assert sorted(found.item_idx[0, :2].tolist()) == [3, 4]
    assert found.score[0, 2:].tolist() == [-np.inf, -np.inf]
    assert (found.item_idx[1] >= 0).all()


def test_a_list_longer_than_the_catalogue_ends_with_empty_places(unit_vectors):
    found = ExactIndex(unit_vectors(3, 4)).search(unit_vectors(1, 4, seed=1), k=5)
    assert sorted(found.item_idx[0].tolist()) == [-1, -1, 0, 1, 2]
    assert found.item_idx.dtype == np.int32
    assert found.score.dtype == np.float32


def test_no_queries_give_no_lists(unit_vectors):
    assert ExactIndex(unit_vectors(3, 4)).search(np.zeros((0, 4), np.float32), k=2).item_idx.shape == (0, 2)
