"""Exact search for many users in one process: ours, or the plain product and top-k that it is held against.

The job is JSON: `items` and `queries`, `.npy` files of shape (I, D) and (B, D); `k`; `n_repeats`; `n_threads`; `side`, which is
`ours`, `topk`, or `filtered` with one item in a hundred allowed; `answer`, what another library found.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from recsys.core.files import read_array, write_json
from recsys.index.exact import ExactIndex

_BLOCK_USERS = 512


def search(job: dict[str, Any]) -> dict[str, Any]:
    """The best `seconds` of some searches, the `version`, and for ours the `recall` against the other library's answer."""
    torch.set_num_threads(job["n_threads"])
    items, queries = np.array(read_array(Path(job["items"]))), np.array(read_array(Path(job["queries"])))
    version = f"PyTorch {torch.__version__}"
    if job["side"] == "topk":
        return {
            "seconds": _best(lambda: _top_k(items, queries, job["k"]), job["n_repeats"]),
            "version": f"torch.topk, {version}",
        }
    index = ExactIndex(items)
    if job["side"] == "filtered":
        allowed = np.arange(len(items)) % 100 == 0
        whole = _best(lambda: index.search(queries, k=job["k"]), job["n_repeats"])
        part = _best(lambda: index.search(queries, k=job["k"], allowed=allowed), job["n_repeats"])
        return {"seconds": part, "unfiltered": whole, "version": version}
    seconds = _best(lambda: index.search(queries, k=job["k"]), job["n_repeats"])
    found = index.search(queries[: 8 * _BLOCK_USERS], k=job["k"]).item_idx
    return {"seconds": seconds, "recall": _recall(found, read_array(Path(job["answer"]))), "version": version}


def _top_k(items: NDArray[np.float32], queries: NDArray[np.float32], k: int) -> None:
    table = torch.from_numpy(items).t()
    for begin in range(0, len(queries), _BLOCK_USERS):
        (torch.from_numpy(queries[begin : begin + _BLOCK_USERS]) @ table).topk(k)


def _best(work: Callable[[], object], n_repeats: int) -> float:
    seconds = []
    for _ in range(n_repeats):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def _recall(found: NDArray[np.int32], answer: NDArray[np.integer]) -> float:
    shared = [len(np.intersect1d(ours, theirs)) for ours, theirs in zip(found, answer, strict=False)]
    return float(np.sum(shared) / found.size)


def main() -> None:
    """`python -m pipelines.benchmarks.ours.searching JOB RESULT`."""
    write_json(Path(sys.argv[2]), search(json.loads(sys.argv[1])))


if __name__ == "__main__":
    main()
