import numpy as np
import pytest
import torch

from recsys.index import coarse
from recsys.index.coarse import CoarseScan
from recsys.index.exact import ExactIndex


def _by_argsort(queries, items, *, k, seen=None):
    scores = queries.astype(np.float64) @ items.astype(np.float64).T
    for row, left_out in enumerate(seen or []):
        scores[row, left_out] = -np.inf
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return order, np.take_along_axis(scores, order, 1)


_TWO_QUERIES = 300  # scores of a block, at 120 items


@pytest.mark.parametrize("k", [1, 10, 120])
def test_answers_are_those_of_a_full_sort(unit_vectors, k):
    items, queries = unit_vectors(120, 8), unit_vectors(33, 8, seed=1)
    found = ExactIndex(items, block_scores=_TWO_QUERIES).search(queries, k=k)
    order, scores = _by_argsort(queries, items, k=k)
    assert found.item_idx.tolist() == order.tolist()
    np.testing.assert_allclose(found.score, scores, atol=1e-6)


def test_seen_items_are_left_out_and_lists_are_still_full(unit_vectors, seen_of):
    items, queries, rng = unit_vectors(120, 8), unit_vectors(33, 8, seed=1), np.random.default_rng(0)
    seen = [rng.choice(120, rng.integers(0, 100), replace=False).tolist() for _ in range(33)]
    found = ExactIndex(items, block_scores=_TWO_QUERIES).search(queries, k=20, seen=seen_of(seen))
    order, _ = _by_argsort(queries, items, k=20, seen=seen)
    assert found.item_idx.tolist() == order.tolist()


def test_a_list_is_short_only_when_nothing_is_left(unit_vectors, seen_of):
    found = ExactIndex(unit_vectors(5, 4)).search(unit_vectors(2, 4, seed=1), k=4, seen=seen_of([[0, 1, 2], []]))
    assert found.item_idx[0, 2:].tolist() == [-1, -1]
    assert sorted(found.item_idx[0, :2].tolist()) == [3, 4]
    assert found.score[0, 2:].tolist() == [-np.inf, -np.inf]
    assert (found.item_idx[1] >= 0).all()


def test_a_list_longer_than_the_catalogue_ends_with_empty_ranks(unit_vectors):
    found = ExactIndex(unit_vectors(3, 4)).search(unit_vectors(1, 4, seed=1), k=5)
    assert sorted(found.item_idx[0].tolist()) == [-1, -1, 0, 1, 2]
    assert found.item_idx.dtype == np.int32
    assert found.score.dtype == np.float32


@pytest.mark.parametrize("k", [1, 10, 60])
@pytest.mark.parametrize("n_items", [2048, 5001])
def test_a_coarse_scan_changes_no_answer(unit_vectors, seen_of, k, n_items):
    items, queries, rng = unit_vectors(n_items, 16), unit_vectors(150, 16, seed=1), np.random.default_rng(0)
    seen = [rng.choice(n_items, rng.integers(0, 900), replace=False).tolist() for _ in range(150)]
    found = ExactIndex(items).search(queries, k=k, seen=seen_of(seen))
    order, scores = _by_argsort(queries, items, k=k, seen=seen)
    assert found.item_idx.tolist() == order.tolist()
    np.testing.assert_allclose(found.score, scores, atol=1e-6)


def test_lists_that_half_precision_cannot_tell_apart_are_exact_all_the_same(unit_vectors):
    middle, rng = unit_vectors(1, 16)[0], np.random.default_rng(0)
    items = (middle + 3e-4 * rng.normal(size=(4096, 16))).astype(np.float32)
    queries = (middle + 0.1 * rng.normal(size=(5, 16))).astype(np.float32)
    found = ExactIndex(items).search(queries, k=10)
    _, scores = _by_argsort(queries, items, k=10)
    np.testing.assert_allclose(found.score, scores, atol=1e-6)


def test_a_user_who_has_seen_nearly_all_gets_the_rest(unit_vectors, seen_of):
    items, queries = unit_vectors(2048, 8), unit_vectors(2, 8, seed=1)
    found = ExactIndex(items).search(queries, k=10, seen=seen_of([list(range(2045)), []]))
    assert sorted(found.item_idx[0].tolist()) == [-1] * 7 + [2045, 2046, 2047]
    assert (found.item_idx[1] >= 0).all()


@pytest.mark.parametrize("share", [0.01, 0.3, 0.9])
def test_only_allowed_items_are_answered_and_they_are_the_best_of_them(unit_vectors, seen_of, share):
    items, queries, rng = unit_vectors(3000, 8), unit_vectors(20, 8, seed=1), np.random.default_rng(0)
    allowed = rng.random(3000) < share
    seen = [rng.choice(3000, 50, replace=False).tolist() for _ in range(20)]
    found = ExactIndex(items).search(queries, k=15, seen=seen_of(seen), allowed=allowed)
    forbidden = np.flatnonzero(~allowed).tolist()
    order, scores = _by_argsort(queries, items, k=15, seen=[[*row, *forbidden] for row in seen])
    kept = np.isfinite(scores)
    assert found.item_idx.tolist() == np.where(kept, order, -1).tolist()


def test_another_filter_is_not_mistaken_for_the_last_one(unit_vectors):
    index, queries = ExactIndex(unit_vectors(100, 8)), unit_vectors(3, 8, seed=1)
    allowed = np.arange(100) < 50
    index.search(queries, k=5, allowed=allowed)
    allowed[:] = ~allowed
    assert (index.search(queries, k=5, allowed=allowed).item_idx >= 50).all()


def test_no_queries_give_no_lists(unit_vectors):
    assert ExactIndex(unit_vectors(3, 4)).search(np.zeros((0, 4), np.float32), k=2).item_idx.shape == (0, 2)


def test_blocks_side_by_side_change_no_answer_and_leave_the_number_of_threads(unit_vectors, seen_of):
    items, queries, rng = unit_vectors(2048, 16), unit_vectors(900, 16, seed=1), np.random.default_rng(0)
    seen = seen_of([rng.choice(2048, 30, replace=False).tolist() for _ in range(900)])
    alone = ExactIndex(items).search(queries, k=10, seen=seen)
    torch.set_num_threads(3)
    try:
        index = ExactIndex(items)
        for _ in range(2):
            together = index.search(queries, k=10, seen=seen)
            assert torch.get_num_threads() == 3
            assert together.item_idx.tolist() == alone.item_idx.tolist()
    finally:
        torch.set_num_threads(1)


@pytest.mark.slow
def test_where_many_lists_are_searched_again_shortlists_grow(unit_vectors, monkeypatch):
    middle, rng = unit_vectors(1, 16)[0], np.random.default_rng(0)
    items = (middle + 0.003 * rng.normal(size=(16_384, 16))).astype(np.float32)
    queries = (middle + 0.1 * rng.normal(size=(300, 16))).astype(np.float32)
    asked, shortlist = [], CoarseScan.shortlist

    def noting(self, block, *, n, seen):
        asked.append((n, len(block)))
        return shortlist(self, block, n=n, seen=seen)

    monkeypatch.setattr(CoarseScan, "shortlist", noting)
    monkeypatch.setattr(coarse, "_is_fast_in_bfloat16", lambda _: True)  # also on a processor that multiplies in float32 alone
    index = ExactIndex(items)
    first = index.search(queries, k=10)
    n_first = asked[0][0]
    asked.clear()
    again = index.search(queries, k=10)
    assert asked[0][0] > n_first
    order, _ = _by_argsort(queries, items, k=10)
    for found in (first, again):
        np.testing.assert_allclose(found.score, np.einsum("bkd,bd->bk", items[order], queries), atol=1e-6)
