import json
from pathlib import Path

import numpy as np
import pytest

from pipelines.benchmarks.ours import searching
from pipelines.benchmarks.vectors import draw_vectors


@pytest.fixture
def job(tmp_path: Path) -> dict:
    items, queries = draw_vectors(300, seed=1), draw_vectors(20, seed=2)
    np.save(tmp_path / "items.npy", items)
    np.save(tmp_path / "queries.npy", queries)
    np.save(tmp_path / "answer.npy", np.argsort(-(queries @ items.T), axis=1)[:, :10])
    paths = {name: str(tmp_path / f"{name}.npy") for name in ("items", "queries", "answer")}
    return paths | {"k": 10, "n_repeats": 2, "n_threads": 1}


def test_ours_is_timed_and_compared_with_the_other_answer(job, main_of) -> None:
    found = json.loads(main_of(searching, json.dumps(job | {"side": "ours"})).read_text())
    assert found["recall"] == 1.0
    assert found["seconds"] > 0
    answer = np.load(job["answer"])
    answer[:, :5] = 299
    np.save(job["answer"], answer)
    found = json.loads(main_of(searching, json.dumps(job | {"side": "ours"})).read_text())
    assert found["recall"] < 0.65


@pytest.mark.parametrize("side", ["topk", "filtered"])
def test_the_other_sides_are_timed_too(job, main_of, side) -> None:
    found = json.loads(main_of(searching, json.dumps(job | {"side": side})).read_text())
    assert found["seconds"] > 0
    assert ("unfiltered" in found) == (side == "filtered")
