import importlib.util
from dataclasses import replace

import pytest

from recsys.core.errors import IndexQualityError
from recsys.index import faiss, operating_point
from recsys.index.choice import BACKENDS
from recsys.index.exact import ExactIndex
from recsys.index.nearest import recall_against
from recsys.index.operating_point import choose_operating_point, open_backend

pytestmark = pytest.mark.slow

needs_faiss = pytest.mark.skipif(not faiss.is_available(), reason="faiss-cpu is not installed (the extra [faiss])")


@pytest.fixture
def search(tmp_path, unit_vectors):
    """Choose on 600 random items of 16 dimensions, and return what was asked too."""

    def run(target_recall, backend="annoy", *, forms=None, **settings):
        items, queries, path = unit_vectors(600, 16), unit_vectors(30, 16, seed=1), tmp_path / "items.index"
        tried = {backend: replace(BACKENDS[backend], forms=forms or BACKENDS[backend].forms)}
        point, measured = choose_operating_point(
            path, items, queries, backends=tried, k=10, target_recall=target_recall, seed=0, **settings
        )
        return point, measured, (path, items, queries)

    return run


@pytest.mark.parametrize("target", [0.5, 0.95, 1.0])
@pytest.mark.parametrize("family", ["annoy", pytest.param("faiss", marks=needs_faiss)])
def test_the_file_left_behind_reaches_the_target_at_the_point_chosen(search, target, family):
    point, _, (path, items, queries) = search(target, family)
    found = open_backend(path, items, point).search(queries, k=10)
    assert recall_against(found, ExactIndex(items).search(queries, k=10)) >= target
    assert point.backend == family


def test_the_fastest_point_that_reaches_the_target_is_chosen(search):
    point, measured, _ = search(0.9)
    assert point in measured
    assert point.recall >= 0.9
    assert point.queries_per_second == max(each.queries_per_second for each in measured if each.recall >= 0.9)


def test_for_each_build_the_effort_is_within_an_eighth_of_the_least_that_reaches_the_target(search):
    _, measured, _ = search(0.9)
    for build in {each.build for each in measured}:
        of_build = [each for each in measured if each.build == build]
        enough = min(each.effort for each in of_build if each.recall >= 0.9)
        too_little = max((each.effort for each in of_build if each.recall < 0.9 and each.effort < enough), default=None)
        assert too_little is None or enough <= 1.125 * too_little or enough - too_little <= 1


def test_only_the_chosen_file_is_left(search):
    _, _, (path, _, _) = search(0.5)
    assert list(path.parent.iterdir()) == [path]


def test_exact_search_can_take_part_and_needs_no_file(search):
    point, measured, (path, items, queries) = search(1.0, forms=("1 trees",), with_exact=True)
    assert {each.backend for each in measured} == {"exact", "annoy"}
    assert point.queries_per_second == max(each.queries_per_second for each in measured if each.recall >= 1.0)
    assert path.is_file() == (point.backend == "annoy")
    assert (open_backend(path, items, point).search(queries, k=10).item_idx >= 0).all()


def test_annoy_is_always_there_and_faiss_where_it_is_installed(monkeypatch):
    assert BACKENDS["annoy"].is_available()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert not BACKENDS["faiss"].is_available()


def test_a_target_out_of_reach_is_refused_with_the_best_that_was_measured(search, monkeypatch, tmp_path):
    best = 0.0

    def noting(found, exact):
        nonlocal best
        recall = recall_against(found, exact)
        best = max(best, recall)
        return recall

    monkeypatch.setattr(operating_point, "recall_against", noting)
    with pytest.raises(IndexQualityError, match=r"must be at least 0\.999, got at best") as raised:
        search(0.999, forms=("1 trees", "2 trees"), n_doublings=2)
    assert f"{best:.4f}" in str(raised.value)
    assert 0 < best < 0.999
    assert list(tmp_path.iterdir()) == []
