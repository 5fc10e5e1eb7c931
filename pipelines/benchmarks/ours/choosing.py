"""What the tuner chooses, and what it could have chosen: `{"folder": F, "side": "annoy" or "auto"}`.

The folder holds `items.npy` and `queries.npy`. Both the choice and the best other setting are timed again, by turns.
"""

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from recsys.core.files import read_array, write_json
from recsys.index.choice import BACKENDS
from recsys.index.exact import ExactIndex
from recsys.index.nearest import Nearest, Neighbours, Vectors, recall_against
from recsys.index.operating_point import choose_operating_point, open_backend
from recsys.index.published import build_index, open_index

_TARGET, _ROUNDS = 0.99, 5
_TREES = (10, 20, 30, 50, 75, 100)
_DOUBLINGS = 9


def choose(job: dict[str, Any], *, k: int = 100, trees: Sequence[int] = _TREES, n_rounds: int = _ROUNDS) -> dict[str, Any]:
    """`ours` and `peer` in queries a second, and in words what was `chosen` and what was `best`."""
    folder = Path(job["folder"])
    items, queries = read_array(folder / "items.npy"), np.array(read_array(folder / "queries.npy"))
    about = build_index(
        folder / "index",
        folder / "items.npy",
        queries,
        backend="annoy" if job["side"] == "annoy" else "auto",
        k=k,
        target_recall=_TARGET,
        n_queries=len(queries),
        seed=0,
    )
    chosen = open_index(folder / "index", folder / "items.npy")
    rivals = _grid(folder, items, queries, k, trees) if job["side"] == "annoy" else _each_alone(folder, items, queries, k)
    name, rival = max(rivals.items(), key=lambda each: _rate(each[1], queries, k))
    rates = [(_rate(chosen, queries, k), _rate(rival, queries, k)) for _ in range(n_rounds)]
    words = f"{about.backend}, {about.build}, effort {about.effort}"
    return {"ours": max(rate for rate, _ in rates), "peer": max(rate for _, rate in rates), "chosen": words, "best": name}


def _grid(folder: Path, items: Vectors, queries: Vectors, k: int, trees: Sequence[int]) -> dict[str, Nearest]:
    """For each number of trees the least effort of a fine grid that reaches the target."""
    exact, found = ExactIndex(items).search(queries, k=k), dict[str, Nearest]()
    for n_trees in trees:
        path, form = folder / f"{n_trees}.annoy", f"{n_trees} trees"
        BACKENDS["annoy"].build(path, items, form=form, seed=1)
        for effort in (round(k * 2 ** (step / 4)) for step in range(4 * _DOUBLINGS + 1)):
            index = BACKENDS["annoy"].open(path, items, form=form, effort=effort, tuned_k=k)
            if recall_against(index.search(queries, k=k), exact) >= _TARGET:
                found[f"{form}, effort {effort}"] = index
                break
    return found


def _each_alone(folder: Path, items: Vectors, queries: Vectors, k: int) -> dict[str, Nearest]:
    """Exact search, and each backend as it is tuned by itself."""
    found: dict[str, Nearest] = {"exact": ExactIndex(items)}
    for name, backend in BACKENDS.items():
        if backend.is_available():
            path = folder / f"{name}.index"
            point, _ = choose_operating_point(
                path, items, queries, backends={name: backend}, k=k, target_recall=_TARGET, seed=0
            )
            found[f"{name}, {point.build}, effort {point.effort}"] = open_backend(path, items, point)
    return found


def _rate(index: Nearest, queries: Vectors, k: int) -> float:
    began = time.perf_counter()
    found: Neighbours = index.search(queries, k=k)
    return len(found.item_idx) / (time.perf_counter() - began)


def main() -> None:
    """`python -m pipelines.benchmarks.ours.choosing JOB RESULT`."""
    write_json(Path(sys.argv[2]), choose(json.loads(sys.argv[1])))


if __name__ == "__main__":
    main()
