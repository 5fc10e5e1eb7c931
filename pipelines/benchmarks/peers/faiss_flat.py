"""Faiss' exact search: `python faiss_flat.py JOB RESULT`, in the peer's own environment.

The job is JSON: `items` and `queries`, `.npy` files of shape (I, D) and (B, D); `k`; `n_repeats`; `n_threads`.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import faiss
import numpy as np


def search(job: dict[str, Any]) -> dict[str, Any]:
    """Search a flat index by inner product: the best `seconds` of some searches, the `version`, and the `answer` file."""
    faiss.omp_set_num_threads(job["n_threads"])
    items, queries = np.load(job["items"]), np.load(job["queries"])
    index = faiss.IndexFlatIP(items.shape[1])
    index.add(items)
    seconds = []
    for _ in range(job["n_repeats"]):
        began = time.perf_counter()
        _, answer = index.search(queries, job["k"])
        seconds.append(time.perf_counter() - began)
    np.save(job["answer"], answer)
    return {"seconds": min(seconds), "version": f"Faiss {faiss.__version__} IndexFlatIP"}


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(json.dumps(search(json.loads(sys.argv[1]))))
