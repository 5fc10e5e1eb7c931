"""Adam for tables of millions of rows: only the rows of a step are touched, and a row keeps one number, not two vectors."""

from collections.abc import Callable
from typing import Any

import torch


class RowwiseAdam(torch.optim.Optimizer):
    """Divides the gradient of each touched row by the root of a running mean of that row's mean squared gradient.

    There is no momentum: rows are touched rarely, and theirs would be stale. The mean is corrected for its start by the
    number of times the row was touched, so a row's first step has the full rate, as in Adam.

    Args:
        tables: Parameters of shape (R, D) whose gradients are sparse.
        rate: Learning rate, on Adam's scale.
        decay: Of the running mean.
        epsilon: Added to the root.

    Source: Kingma & Ba, arXiv:1412.6980, algorithm 1, with one second moment a row as in Mudigere et al.,
    arXiv:2104.05158, section 4.1.4.
    """

    def __init__(self, tables: list[torch.Tensor], *, rate: float, decay: float, epsilon: float = 1e-8) -> None:
        super().__init__(tables, {"lr": rate, "decay": decay, "epsilon": epsilon})
        for table in tables:
            self.state[table] = {
                "mean_square": torch.zeros(len(table), device=table.device),
                "n_touched": torch.zeros(len(table), device=table.device),
            }

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Update the rows that have a gradient."""
        for group in self.param_groups:
            for table in group["params"]:
                if table.grad is not None:
                    _update(table, table.grad.coalesce(), self.state[table], group)


def _update(table: torch.Tensor, gradient: torch.Tensor, state: dict[str, torch.Tensor], group: dict[str, Any]) -> None:
    rows, values = gradient.indices()[0], gradient.values()  # (M,), (M, D)
    decay = group["decay"]
    n_touched = state["n_touched"][rows] + 1  # (M,)
    mean_square = state["mean_square"][rows] * decay + values.square().mean(1) * (1 - decay)  # (M,)
    state["n_touched"][rows], state["mean_square"][rows] = n_touched, mean_square
    unbiased = mean_square / (1 - decay ** n_touched.double()).float()  # (M,)
    step = group["lr"] / (unbiased.sqrt() + group["epsilon"])  # (M,)
    table.index_add_(0, rows, values * step[:, None], alpha=-1)
