"""Metrics by ranx: `python ranx_metrics.py JOB RESULT`, in the peer's own environment.

The job is JSON: `lists` (U, K) and `relevant` (U, R), `.npy` files of item numbers; `n_users`, how many of them; `ks`.
"""

import importlib.metadata
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from ranx import Qrels, Run, evaluate


def measure(job: dict[str, Any]) -> dict[str, Any]:
    """`seconds` of the second evaluation, the first having compiled, the `means` and the `version`."""
    lists, relevant = (np.load(job[name])[: job["n_users"]] for name in ("lists", "relevant"))
    scores = np.arange(lists.shape[1], 0, -1).astype(float).tolist()
    run = Run({f"u{user}": dict(zip(map(str, items), scores, strict=True)) for user, items in enumerate(lists)})
    qrels = Qrels({f"u{user}": dict.fromkeys(map(str, items), 1) for user, items in enumerate(relevant)})
    names = ("hit_rate", "recall", "precision", "ndcg", "mrr", "map")
    metrics = ["r-precision", *(f"{name}@{k}" for name in names for k in job["ks"])]
    evaluate(qrels, run, metrics)
    began = time.perf_counter()
    means = evaluate(qrels, run, metrics)
    seconds = time.perf_counter() - began
    version = importlib.metadata.version("ranx")
    return {"seconds": seconds, "means": {name: float(mean) for name, mean in means.items()}, "version": f"ranx {version}"}


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(json.dumps(measure(json.loads(sys.argv[1]))))
