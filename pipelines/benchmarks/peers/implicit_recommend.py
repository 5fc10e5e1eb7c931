"""implicit's batch recommendations with seen items left out: `python implicit_recommend.py JOB RESULT`, in its own environment.

The job is JSON: `items` and `users`, `.npy` files of shape (I, D) and (U, D); `item_idx` and `offsets`, the histories; `k`;
`n_threads`.
"""

import json
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from implicit.cpu.matrix_factorization_base import MatrixFactorizationBase
from scipy.sparse import csr_matrix


class Vectors(MatrixFactorizationBase):  # type: ignore[misc]
    """Given vectors, to be searched as implicit searches its own."""

    def fit(self, *_: Any, **__: Any) -> None:
        """Nothing to fit."""

    def save(self, *_: Any) -> None:
        """Nothing to save."""

    @classmethod
    def load(cls, *_: Any) -> None:
        """Nothing to load."""


def recommend(job: dict[str, Any], *, block_users: int = 2048) -> dict[str, Any]:
    """Recommend to all users in blocks: `seconds` and the `version`."""
    model = Vectors(num_threads=job["n_threads"])
    model.item_factors, model.user_factors = np.load(job["items"]), np.load(job["users"])
    item_idx, offsets = np.load(job["item_idx"]), np.load(job["offsets"])
    n_users, n_items = len(model.user_factors), len(model.item_factors)
    seen = csr_matrix((np.ones(len(item_idx), np.float32), item_idx, offsets), shape=(n_users, n_items))
    began = time.perf_counter()
    n_found = 0
    for begin in range(0, n_users, block_users):
        users = np.arange(begin, min(begin + block_users, n_users))
        ids, _ = model.recommend(users, seen[users], N=job["k"], filter_already_liked_items=True)
        n_found += ids.size
    return {"seconds": time.perf_counter() - began, "n_found": n_found, "version": f"implicit {version('implicit')}"}


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(json.dumps(recommend(json.loads(sys.argv[1]))))
