"""Faiss may not be installed here: it is replaced by a product and a sort."""

import sys
from types import ModuleType

import numpy as np
import pytest

from pipelines.benchmarks.vectors import draw_vectors


class FlatIndex:
    def __init__(self, dim: int) -> None:
        self.dim = dim

    def add(self, items) -> None:
        assert items.shape[1] == self.dim
        self.items = items

    def search(self, queries, k):
        scores = queries @ self.items.T
        order = np.argsort(-scores, axis=1)[:, :k]
        return np.take_along_axis(scores, order, 1), order


def test_the_answer_is_left_in_its_file(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    stand_in = ModuleType("faiss")
    stand_in.IndexFlatIP, stand_in.omp_set_num_threads, stand_in.__version__ = FlatIndex, lambda n: None, "9"
    monkeypatch.setitem(sys.modules, "faiss", stand_in)
    monkeypatch.delitem(sys.modules, "pipelines.benchmarks.peers.faiss_flat", raising=False)
    from pipelines.benchmarks.peers.faiss_flat import search

    items, queries = draw_vectors(60, seed=1), draw_vectors(5, seed=2)
    np.save(tmp_path / "items.npy", items)
    np.save(tmp_path / "queries.npy", queries)
    job = {name: str(tmp_path / f"{name}.npy") for name in ("items", "queries", "answer")}
    found = search(job | {"k": 4, "n_repeats": 2, "n_threads": 1})
    assert found["version"] == "Faiss 9 IndexFlatIP"
    assert np.load(job["answer"]).tolist() == np.argsort(-(queries @ items.T), axis=1)[:, :4].tolist()
