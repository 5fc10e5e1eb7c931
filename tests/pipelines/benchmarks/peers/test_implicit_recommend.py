"""implicit is not installed here: it is replaced by a model that notes what it was asked."""

import importlib
import sys
from types import ModuleType

import numpy as np
import pytest


class FakeModel:
    asked: list[tuple[int, int]] = []  # noqa: RUF012

    def __init__(self, *, num_threads: int) -> None:
        self.num_threads = num_threads

    def recommend(self, users, seen, *, N: int, filter_already_liked_items: bool):  # noqa: N803
        assert filter_already_liked_items
        assert seen.shape[0] == len(users)
        self.asked.append((len(users), seen.nnz))
        return np.zeros((len(users), N), np.int32), None


def test_all_users_are_asked_for_with_what_they_have_seen(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    names = ("implicit", "implicit.cpu", "implicit.cpu.matrix_factorization_base")
    for name in names:
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    sys.modules[names[-1]].MatrixFactorizationBase = FakeModel
    monkeypatch.delitem(sys.modules, "pipelines.benchmarks.peers.implicit_recommend", raising=False)
    script = importlib.import_module("pipelines.benchmarks.peers.implicit_recommend")
    monkeypatch.setattr(script, "version", lambda name: "0.0")
    arrays = {"items": np.ones((9, 3), np.float32), "users": np.ones((6, 3), np.float32)}
    arrays |= {"item_idx": np.arange(6, dtype=np.int32), "offsets": np.arange(7)}
    for name, array in arrays.items():
        np.save(tmp_path / f"{name}.npy", array)
    job = {name: str(tmp_path / f"{name}.npy") for name in arrays}
    found = script.recommend(job | {"k": 2, "n_threads": 1}, block_users=4)
    assert FakeModel.asked == [(4, 4), (2, 2)]
    assert found["n_found"] == 12
