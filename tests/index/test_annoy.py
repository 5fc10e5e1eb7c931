import numpy as np
import pytest

from recsys.core.errors import IndexQualityError
from recsys.index.annoy import augment, build_annoy, open_annoy
from recsys.index.exact import ExactIndex
from recsys.index.nearest import recall_against

_K = 10


@pytest.fixture
def items(unit_vectors):
    return unit_vectors(300, 8)


@pytest.fixture
def queries(unit_vectors):
    return unit_vectors(40, 8, seed=1)


@pytest.fixture
def backend(tmp_path, items):
    """A forest searched with so little effort that it misses neighbours."""
    build_annoy(tmp_path / "items.annoy", items, form="3 trees", seed=0)
    return open_annoy(tmp_path / "items.annoy", items, form="", effort=20, tuned_k=_K)


def _seen_lists(n_seen, *, n_rows=40, n_items=300):
    rng = np.random.default_rng(0)
    return [rng.choice(n_items, n_seen, replace=False).tolist() for _ in range(n_rows)]


@pytest.mark.parametrize("n_seen", [0, 1, 30, 200])
def test_every_list_holds_exactly_k_different_unseen_items(backend, queries, seen_of, n_seen):
    lists = _seen_lists(n_seen)
    found = backend.search(queries, k=_K, seen=seen_of(lists))
    for items, seen in zip(found.item_idx.tolist(), lists, strict=True):
        assert len(set(items)) == _K
        assert min(items) >= 0
        assert not set(items) & set(seen)


def test_when_almost_everything_is_seen_the_rest_comes_from_exact_search(backend, items, queries, seen_of):
    lists = _seen_lists(300 - _K)
    found = backend.search(queries, k=_K, seen=seen_of(lists))
    exact = ExactIndex(items).search(queries, k=_K, seen=seen_of(lists))
    assert found.item_idx.tolist() == exact.item_idx.tolist()


def test_a_list_is_short_only_when_nothing_is_left(backend, queries, seen_of):
    lists = _seen_lists(297)
    found = backend.search(queries, k=_K, seen=seen_of(lists))
    assert ((found.item_idx >= 0).sum(1) == 3).all()
    assert np.isneginf(found.score[found.item_idx < 0]).all()


def test_scores_are_dot_products_and_fall(backend, items, queries):
    found = backend.search(queries, k=_K)
    dots = np.einsum("bkd,bd->bk", items[found.item_idx], queries)
    np.testing.assert_allclose(found.score, dots, atol=1e-6)
    assert (np.diff(found.score, axis=1) <= 0).all()


def test_enough_effort_finds_what_exact_search_finds(tmp_path, items, queries, seen_of):
    build_annoy(tmp_path / "items.annoy", items, form="30 trees", seed=0)
    backend = open_annoy(tmp_path / "items.annoy", items, form="", effort=100_000, tuned_k=_K)
    seen = seen_of(_seen_lists(25))
    exact = ExactIndex(items).search(queries, k=_K, seen=seen)
    assert backend.search(queries, k=_K, seen=seen).item_idx.tolist() == exact.item_idx.tolist()


@pytest.mark.parametrize("share", [0.05, 0.2, 0.6])
def test_a_filtered_answer_is_as_good_as_an_unfiltered_one(tmp_path, unit_vectors, seen_of, share):
    items, queries, rng = unit_vectors(3000, 8), unit_vectors(60, 8, seed=1), np.random.default_rng(0)
    build_annoy(tmp_path / "items.annoy", items, form="20 trees", seed=0)
    backend = open_annoy(tmp_path / "items.annoy", items, form="", effort=800, tuned_k=_K)
    exact, allowed = ExactIndex(items), rng.random(3000) < share
    seen = seen_of([rng.choice(3000, 40, replace=False).tolist() for _ in range(60)])
    plain = recall_against(backend.search(queries, k=_K), exact.search(queries, k=_K))
    found = backend.search(queries, k=_K, seen=seen, allowed=allowed)
    assert recall_against(found, exact.search(queries, k=_K, seen=seen, allowed=allowed)) >= plain - 0.01
    assert plain > 0.9
    assert allowed[found.item_idx].all()


def test_a_list_as_long_as_the_catalogue_holds_all_of_it(backend, queries):
    assert np.sort(backend.search(queries[:3], k=300).item_idx, axis=1).tolist() == [list(range(300))] * 3


def test_the_same_seed_gives_the_same_file(tmp_path, items):
    for name in ("first", "second"):
        build_annoy(tmp_path / name, items, form="5 trees", seed=2**40 + 1)
    build_annoy(tmp_path / "other", items, form="5 trees", seed=7)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()
    assert (tmp_path / "first").read_bytes() != (tmp_path / "other").read_bytes()


def test_where_lengths_differ_the_order_is_still_that_of_dot_products(tmp_path, items, queries):
    items *= np.linspace(0.3, 2, len(items))[:, None].astype(np.float32)
    build_annoy(tmp_path / "items.annoy", items, form="30 trees", seed=0)
    backend = open_annoy(tmp_path / "items.annoy", items, form="", effort=100_000, tuned_k=_K)
    exact = ExactIndex(items).search(queries, k=_K)
    assert backend.search(queries, k=_K).item_idx.tolist() == exact.item_idx.tolist()


def test_augmented_vectors_have_one_length_and_keep_their_numbers(items):
    items *= np.linspace(0.3, 2, len(items))[:, None].astype(np.float32)
    longer = augment(items)
    np.testing.assert_array_equal(longer[:, :-1], items)
    np.testing.assert_allclose(np.linalg.norm(longer, axis=1), 2, rtol=1e-5)


def test_a_file_with_another_number_of_items_is_refused(tmp_path, items):
    build_annoy(tmp_path / "items.annoy", items[:-1], form="2 trees", seed=0)
    with pytest.raises(IndexQualityError, match="must hold 300 items, got 299"):
        open_annoy(tmp_path / "items.annoy", items, form="", effort=20, tuned_k=_K)


@pytest.mark.parametrize("content", [None, b"", b"not an index"])
def test_a_file_that_is_no_index_is_refused(tmp_path, items, content):
    if content is not None:
        (tmp_path / "items.annoy").write_bytes(content)
    with pytest.raises(IndexQualityError, match="run the stage index"):
        open_annoy(tmp_path / "items.annoy", items, form="", effort=20, tuned_k=_K)
