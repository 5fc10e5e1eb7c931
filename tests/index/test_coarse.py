import numpy as np
import pytest
import torch

from recsys.index.coarse import CoarseScan


@pytest.fixture(params=[torch.bfloat16, torch.float32], ids=["bfloat16", "float32"])
def scan_of(request):
    """Build a scan in half precision and in full, with one level of groups and with two."""

    def build(items, *, two_levels=False):
        return CoarseScan(torch.from_numpy(items), dtype=request.param, two_levels_from=0 if two_levels else 10**9)

    return build


def _scores(queries, items):
    return queries.astype(np.float64) @ items.astype(np.float64).T


@pytest.mark.parametrize("two_levels", [False, True])
@pytest.mark.parametrize("n_items", [4096, 4001, 5003])
def test_no_item_off_the_list_scores_above_the_bound(scan_of, unit_vectors, two_levels, n_items):
    items, queries = unit_vectors(n_items, 16), unit_vectors(9, 16, seed=1)
    found = scan_of(items, two_levels=two_levels).shortlist(torch.from_numpy(queries), n=30, seen=None)
    scores = _scores(queries, items)
    for row, listed in enumerate(found.item_idx.tolist()):
        assert len(set(listed)) == 30
        others = np.delete(scores[row], listed)
        assert others.max() <= float(found.bound[row])
        assert float(found.bound[row]) < others.max() + 0.05


def test_the_bound_holds_where_lengths_differ_and_all_scores_are_negative(scan_of, unit_vectors):
    items = -np.abs(unit_vectors(4096, 8)) * np.linspace(0.2, 3, 4096)[:, None].astype(np.float32)
    queries = np.abs(unit_vectors(5, 8, seed=1))
    found = scan_of(items, two_levels=True).shortlist(torch.from_numpy(queries), n=30, seen=None)
    scores = _scores(queries, items)
    for row, listed in enumerate(found.item_idx.tolist()):
        assert np.delete(scores[row], listed).max() <= float(found.bound[row])
        best = set(np.argsort(-scores[row])[:10].tolist())
        assert best <= set(listed)


def test_seen_items_are_not_listed(scan_of, unit_vectors, seen_of):
    items, queries = unit_vectors(2048, 8), unit_vectors(3, 8, seed=1)
    best = np.argsort(-_scores(queries, items), axis=1)[:, :40]
    found = scan_of(items).shortlist(torch.from_numpy(queries), n=30, seen=seen_of(best.tolist()))
    for listed, seen in zip(found.item_idx.tolist(), best.tolist(), strict=True):
        assert not set(listed) & set(seen)


def test_ranks_are_empty_where_nothing_is_left(scan_of, unit_vectors, seen_of):
    items, queries = unit_vectors(512, 8), unit_vectors(1, 8, seed=1)
    found = scan_of(items).shortlist(torch.from_numpy(queries), n=30, seen=seen_of([list(range(507))]))
    assert sorted(found.item_idx[0].tolist())[-5:] == [507, 508, 509, 510, 511]
    assert (found.item_idx[0] >= 0).sum() == 5


def test_blocks_of_other_sizes_do_not_disturb_each_other(scan_of, unit_vectors):
    items, queries = unit_vectors(2048, 8), torch.from_numpy(unit_vectors(7, 8, seed=1))
    scan = scan_of(items)
    whole = scan.shortlist(queries, n=20, seen=None)
    scan.shortlist(queries[:3], n=20, seen=None)
    again = scan.shortlist(queries, n=20, seen=None)
    assert [set(row) for row in whole.item_idx.tolist()] == [set(row) for row in again.item_idx.tolist()]


def test_long_lists_are_left_to_sorting(scan_of, unit_vectors):
    scan = scan_of(unit_vectors(1024, 4))
    assert scan.can_list(64)
    assert not scan.can_list(65)
