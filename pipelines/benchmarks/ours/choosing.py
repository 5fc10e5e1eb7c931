"""What the tuner chooses, and what it could have chosen: `{"folder": F, "side": "annoy" or "auto"}`.

The folder holds `items.npy` and `queries.npy`. Both the choice and the best other setting are timed again, by turns.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from recsys.core.files import read_array, write_json
from recsys.index.annoy import build_annoy, open_annoy
from recsys.index.exact import ExactIndex
from recsys.index.nearest import Nearest, Neighbours, Vectors, recall_against
from recsys.index.operating_point import available_families, choose_operating_point, open_backend
from recsys.index.published import build_index, open_index

_K, _TARGET, _ROUNDS = 100, 0.99, 5
_TREES = (10, 20, 30, 50, 75, 100)
_EFFORTS = tuple(round(_K * 2 ** (step / 4)) for step in range(0, 37))


def choose(job: dict[str, Any]) -> dict[str, Any]:
    """`ours` and `peer` in queries a second, and in words what was `chosen` and what was `best`."""
    folder = Path(job["folder"])
    items, queries = read_array(folder / "items.npy"), np.array(read_array(folder / "queries.npy"))
    about = build_index(
        folder / "index",
        folder / "items.npy",
        queries,
        backend="annoy" if job["side"] == "annoy" else "auto",
        k=_K,
        target_recall=_TARGET,
        n_queries=len(queries),
        seed=0,
    )
    chosen = open_index(folder / "index", folder / "items.npy")
    rivals = _grid(folder, items, queries) if job["side"] == "annoy" else _families(folder, items, queries)
    name, rival = max(rivals.items(), key=lambda each: _rate(each[1], queries))
    rates = [(_rate(chosen, queries), _rate(rival, queries)) for _ in range(_ROUNDS)]
    words = f"{about.backend}, {about.build}, effort {about.effort}"
    return {"ours": max(rate for rate, _ in rates), "peer": max(rate for _, rate in rates), "chosen": words, "best": name}


def _grid(folder: Path, items: Vectors, queries: Vectors) -> dict[str, Nearest]:
    """For each number of trees the least effort of a fine grid that reaches the target."""
    exact, found = ExactIndex(items).search(queries, k=_K), dict[str, Nearest]()
    for n_trees in _TREES:
        path = folder / f"{n_trees}.annoy"
        build_annoy(path, items, n_trees=n_trees, seed=1)
        for effort in _EFFORTS:
            backend = open_annoy(path, items, search_k=effort, tuned_k=_K)
            if recall_against(backend.search(queries, k=_K), exact) >= _TARGET:
                found[f"{n_trees} trees, effort {effort}"] = backend
                break
    return found


def _families(folder: Path, items: Vectors, queries: Vectors) -> dict[str, Nearest]:
    """Exact search, and each family as it is tuned by itself."""
    found: dict[str, Nearest] = {"exact": ExactIndex(items)}
    for family in available_families():
        path = folder / f"{family}.index"
        point, _ = choose_operating_point(path, items, queries, families=[family], k=_K, target_recall=_TARGET, seed=0)
        found[f"{family}, {point.build}, effort {point.effort}"] = open_backend(path, items, point)
    return found


def _rate(index: Nearest, queries: Vectors) -> float:
    began = time.perf_counter()
    found: Neighbours = index.search(queries, k=_K)
    return len(found.item_idx) / (time.perf_counter() - began)


def main() -> None:
    """`python -m pipelines.benchmarks.ours.choosing JOB RESULT`."""
    write_json(Path(sys.argv[2]), choose(json.loads(sys.argv[1])))


if __name__ == "__main__":
    main()
