from typing import Any

import pytest

from pipelines.benchmarks import exact_search
from pipelines.benchmarks.bar import Workspace
from pipelines.benchmarks.exact_search import Size
from pipelines.benchmarks.vectors import draw_vectors
from recsys.core.files import write_array

SMALL = (
    Size(name="small", n_items=40, n_users=90, over_topk=4.0),
    Size(name="large", n_items=50, n_users=9, over_topk=None),
)


@pytest.fixture(autouse=True)
def stand_ins(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """Ours takes 1 s, Faiss 0.9 s, a plain top-k 5 s."""
    figures = {"ours": 1.0, "faiss": 0.9, "topk": 5.0, "recall": 1.0}

    def run_own(module: str, job: dict[str, Any], *, log: Any) -> dict[str, Any]:
        assert module == "searching"
        assert job["k"] == 100
        return {"seconds": figures[job["side"]], "recall": figures["recall"], "version": "PyTorch 2"}

    def run_peer(peer: str, script: str, job: dict[str, Any], *, workspace: Workspace, log: Any) -> dict[str, Any]:
        assert (peer, script) == ("faiss", "faiss_flat")
        return {"seconds": figures["faiss"], "version": "Faiss 1"}

    monkeypatch.setattr(exact_search, "run_own", run_own)
    monkeypatch.setattr(exact_search, "run_peer", run_peer)
    return figures


def test_the_bars_are_users_a_second_against_both_peers(nowhere: Workspace) -> None:
    results = {result.name: result for result in exact_search.measure(nowhere, sizes=SMALL)}
    assert sorted(results) == ["exact-search-large", "exact-search-small", "exact-search-small-topk"]
    assert results["exact-search-small"].ours == pytest.approx(90)
    assert (results["exact-search-small"].bar, results["exact-search-small"].holds) == ("ratio >= 1", False)
    assert (results["exact-search-small-topk"].bar, results["exact-search-small-topk"].holds) == ("ratio >= 4", True)


def test_fast_answers_that_are_wrong_do_not_count(nowhere: Workspace, stand_ins: dict[str, float]) -> None:
    stand_ins["recall"], stand_ins["ours"] = 0.99, 0.1
    assert all(result.ours is None and not result.holds for result in exact_search.measure(nowhere, sizes=SMALL))


def test_vectors_of_a_trained_model_are_taken_where_there_are_some(nowhere: Workspace) -> None:
    trained = Size(name="trained", n_items=30, n_users=5, over_topk=None, is_trained=True)
    assert list(exact_search.measure(nowhere, sizes=(trained,))) == []
    for side in ("items", "users"):
        write_array(nowhere.run.parent / "ml-100k" / "embed" / f"{side}.npy", draw_vectors(7, seed=3))
    (result,) = exact_search.measure(nowhere, sizes=(trained,))
    assert "drawn between the vectors of the ml-100k run" in result.what
