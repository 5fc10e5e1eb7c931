"""Metrics of many lists in one process, and the bootstrap of their means.

The job is JSON: `lists` (U, K) and `relevant` (U, R), `.npy` files of item numbers; `ks`; `checked`, another
library's means by metric for the first `n_checked` users; `bootstrap_users` and `bootstrap_samples`.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from recsys.core.files import read_array, write_json
from recsys.evaluation.intervals import mean_intervals
from recsys.metrics.judge import find_hits, judge

_NAMES = {"hit_rate": "hr", "r-precision": "r_precision"}


def measure(job: dict[str, Any]) -> dict[str, Any]:
    """`seconds` of hits and metrics, the `largest_difference` of a mean, and `bootstrap_seconds`."""
    lists, relevant = np.array(read_array(Path(job["lists"]))), np.array(read_array(Path(job["relevant"])))
    row = np.repeat(np.arange(len(lists)), relevant.shape[1])
    began = time.perf_counter()
    hits, n_relevant = find_hits(lists, row, relevant.ravel())
    values = judge(hits, n_relevant, ks=job["ks"])
    seconds = time.perf_counter() - began
    differences = [0.0]
    for name, mean in job["checked"].items():
        metric, _, k = name.partition("@")
        own = values[f"{_NAMES.get(metric, metric)}@{k or max(job['ks'])}"][: job["n_checked"]]
        differences.append(abs(float(own.mean()) - mean))
    some = {name: each[: job["bootstrap_users"]] for name, each in values.items()}
    began = time.perf_counter()
    mean_intervals(some, n_resamples=job["bootstrap_samples"], seed=0)
    return {
        "seconds": seconds,
        "largest_difference": max(differences),
        "metrics": list(values),
        "bootstrap_seconds": time.perf_counter() - began,
    }


def main() -> None:
    """`python -m pipelines.benchmarks.ours.judging JOB RESULT`."""
    write_json(Path(sys.argv[2]), measure(json.loads(sys.argv[1])))


if __name__ == "__main__":
    main()
