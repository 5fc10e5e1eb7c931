import pytest

from recsys.core.errors import IndexQualityError
from recsys.retrieval import operating_point
from recsys.retrieval.annoy import AnnoyBackend
from recsys.retrieval.exact import ExactIndex
from recsys.retrieval.nearest import recall_against
from recsys.retrieval.operating_point import choose_operating_point


@pytest.fixture
def search(tmp_path, unit_vectors):
    """Choose on 600 random items of 16 dimensions, and return what was asked too."""

    def run(target_recall):
        items, queries, path = unit_vectors(600, 16), unit_vectors(30, 16, seed=1), tmp_path / "items.annoy"
        point, measured = choose_operating_point(path, items, queries, k=10, target_recall=target_recall, seed=0)
        return point, measured, (path, items, queries)

    return run


@pytest.mark.parametrize("target", [0.5, 0.95, 1.0])
def test_the_file_left_behind_reaches_the_target_at_the_point_chosen(search, target):
    point, _, (path, items, queries) = search(target)
    backend = AnnoyBackend(path, items, search_k=point.search_k, tuned_k=point.k)
    exact = ExactIndex(items).search(queries, k=10)
    assert recall_against(backend.search(queries, k=10), exact) == point.recall >= target


def test_no_measured_point_reaches_the_target_with_less_effort(search):
    point, measured, _ = search(0.9)
    assert point in measured
    for other in measured:
        if other.recall >= 0.9:
            assert (point.search_k, point.n_trees) <= (other.search_k, other.n_trees)


def test_only_the_chosen_file_is_left(search):
    _, _, (path, _, _) = search(0.5)
    assert list(path.parent.iterdir()) == [path]


def test_the_same_vectors_give_the_same_choice(search):
    assert search(0.9)[:2] == search(0.9)[:2]


def test_a_target_out_of_reach_is_refused_with_the_best_that_was_measured(search, monkeypatch, tmp_path):
    monkeypatch.setattr(operating_point, "_TREES", (1, 2))
    monkeypatch.setattr(operating_point, "_DOUBLINGS", 2)
    best = 0.0

    def noting(found, exact):
        nonlocal best
        recall = recall_against(found, exact)
        best = max(best, recall)
        return recall

    monkeypatch.setattr(operating_point, "recall_against", noting)
    with pytest.raises(IndexQualityError, match=r"must be at least 0\.999, got at best") as raised:
        search(0.999)
    assert f"{best:.4f}" in str(raised.value)
    assert 0 < best < 0.999
    assert list(tmp_path.iterdir()) == []
