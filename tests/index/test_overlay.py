import numpy as np
import pytest

from recsys.index.exact import ExactIndex
from recsys.index.overlay import OverlayIndex


@pytest.fixture
def vectors(unit_vectors):
    return unit_vectors(90, 8), unit_vectors(10, 8, seed=3), unit_vectors(7, 8, seed=1)


@pytest.mark.parametrize("share", [None, 0.5, 0.0])
def test_index_and_block_together_answer_as_one_exact_index_would(vectors, seen_of, share):
    items, added, queries = vectors
    rng = np.random.default_rng(0)
    allowed = None if share is None else rng.random(100) < share
    seen = seen_of([rng.choice(100, 30, replace=False).tolist() for _ in range(7)])
    overlay = OverlayIndex(ExactIndex(items), n_items=90, added=added)
    whole = ExactIndex(np.concatenate([items, added]))
    found = overlay.search(queries, k=12, seen=seen, allowed=allowed)
    expected = whole.search(queries, k=12, seen=seen, allowed=allowed)
    assert found.item_idx.tolist() == expected.item_idx.tolist()
    np.testing.assert_allclose(found.score, expected.score, atol=1e-6)


def test_an_added_item_is_found_by_its_own_vector(vectors):
    items, added, _ = vectors
    found = OverlayIndex(ExactIndex(items), n_items=90, added=added).search(added, k=1)
    assert found.item_idx[:, 0].tolist() == list(range(90, 100))


def test_lists_longer_than_all_items_end_with_empty_ranks(vectors):
    items, added, queries = vectors
    found = OverlayIndex(ExactIndex(items[:2]), n_items=2, added=added[:1]).search(queries, k=5)
    assert (found.item_idx >= 0).sum(1).tolist() == [3] * 7
    assert np.isneginf(found.score[:, 3:]).all()
