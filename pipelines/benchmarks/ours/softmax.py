"""The full softmax, forward and backward in bfloat16, beside its three matrix products alone.

The job is JSON: `n_rows`, `n_items`, `dim`, `chunks` (rows of a chunk that the products may be cut into) and `n_repeats`.
"""

import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch.nn.functional import normalize

from pipelines.benchmarks.ours.timing import seconds_of
from recsys.core.files import write_json
from recsys.losses.softmax import full_softmax

_SCALE = 20.0


def measure(job: dict[str, Any]) -> dict[str, float]:
    """Median seconds of `ours` and of the `products`, the latter at the best of the chunks; each repeat goes through all."""
    torch.manual_seed(0)
    users = normalize(torch.randn(job["n_rows"], job["dim"]), dim=-1)  # (B, D)
    items = normalize(torch.randn(job["n_items"], job["dim"]), dim=-1)  # (I, D)
    target_idx = torch.randint(job["n_items"], (job["n_rows"],))  # (B,)
    inputs = users.requires_grad_(), items.requires_grad_(), torch.tensor(_SCALE, requires_grad=True)
    halves = users.detach().bfloat16(), items.detach().bfloat16()
    works: list[Callable[[], None]] = [lambda: _with_gradients(*inputs, target_idx)]
    works += [partial(_products, *halves, chunk) for chunk in job["chunks"]]
    seconds = [[seconds_of(work) for work in works] for _ in range(1 + job["n_repeats"])][1:]
    ours, *products = (median(column) for column in zip(*seconds, strict=True))
    return {"ours": ours, "products": min(products)}


def _with_gradients(users: torch.Tensor, items: torch.Tensor, scale: torch.Tensor, target_idx: torch.Tensor) -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = full_softmax(users, items, target_idx, scale=scale)
    torch.autograd.grad(loss, (users, items, scale))


def _products(users: torch.Tensor, items: torch.Tensor, chunk: int) -> None:
    """Logits, and as if they were the weights of the softmax, the gradients of users and items."""
    for part in torch.split(users, chunk):
        weights = part @ items.t()  # (C, I)
        weights @ items  # (C, D)
        weights.t() @ part  # (I, D)


def main() -> None:
    """`python -m pipelines.benchmarks.ours.softmax JOB RESULT`."""
    write_json(Path(sys.argv[2]), measure(json.loads(sys.argv[1])) | {"version": f"PyTorch {torch.__version__}"})


if __name__ == "__main__":
    main()
