import numpy as np
import pytest

from recsys.core.errors import ConfigError, IndexQualityError
from recsys.index import faiss
from recsys.index.exact import ExactIndex
from recsys.index.faiss import build_faiss, open_faiss
from recsys.index.nearest import recall_against

_K = 10
needs_faiss = pytest.mark.skipif(not faiss.is_available(), reason="faiss-cpu is not installed (the extra [faiss])")


@pytest.fixture
def items(unit_vectors):
    return unit_vectors(2000, 8)


@pytest.fixture
def queries(unit_vectors):
    return unit_vectors(40, 8, seed=1)


@needs_faiss
@pytest.mark.parametrize(("kind", "effort"), [("hnsw", 200), ("ivfpq", 20)])
@pytest.mark.parametrize("length", [1.0, 3.0])
def test_enough_effort_finds_nearly_all_that_exact_search_finds(tmp_path, items, queries, seen_of, kind, effort, length):
    items *= np.linspace(1, length, len(items))[:, None].astype(np.float32)
    build_faiss(tmp_path / "items.faiss", items, form=kind, seed=0)
    backend = open_faiss(tmp_path / "items.faiss", items, form=kind, effort=effort, tuned_k=_K)
    rng = np.random.default_rng(0)
    seen = seen_of([rng.choice(2000, 30, replace=False).tolist() for _ in range(40)])
    found = backend.search(queries, k=_K, seen=seen)
    assert recall_against(found, ExactIndex(items).search(queries, k=_K, seen=seen)) > 0.97
    assert (found.item_idx >= 0).all()


@needs_faiss
def test_more_effort_finds_no_less(tmp_path, items, queries):
    build_faiss(tmp_path / "items.faiss", items, form="ivfpq", seed=0)
    exact = ExactIndex(items).search(queries, k=_K)
    recalls = [
        recall_against(
            open_faiss(tmp_path / "items.faiss", items, form="ivfpq", effort=effort, tuned_k=_K).search(queries, k=_K), exact
        )
        for effort in (1, 4, 16)
    ]
    assert recalls[0] < recalls[1] <= recalls[2] + 0.01


@needs_faiss
def test_a_file_with_another_number_of_items_is_refused(tmp_path, items):
    build_faiss(tmp_path / "items.faiss", items[:-1], form="hnsw", seed=0)
    with pytest.raises(IndexQualityError, match="must hold 2000 items, got 1999"):
        open_faiss(tmp_path / "items.faiss", items, form="hnsw", effort=20, tuned_k=_K)


@needs_faiss
@pytest.mark.parametrize("content", [None, b"not an index"])
def test_a_file_that_is_no_index_is_refused(tmp_path, items, content):
    if content is not None:
        (tmp_path / "items.faiss").write_bytes(content)
    with pytest.raises(IndexQualityError, match="must be a Faiss index"):
        open_faiss(tmp_path / "items.faiss", items, form="hnsw", effort=20, tuned_k=_K)


def test_without_the_extra_it_says_what_to_install(tmp_path, items, monkeypatch):
    monkeypatch.setattr(faiss, "is_available", lambda: False)
    with pytest.raises(ConfigError, match=r"pip install 'contrastive-recsys\[faiss\]'"):
        build_faiss(tmp_path / "items.faiss", items, form="hnsw", seed=0)
