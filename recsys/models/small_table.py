"""Looking up a table of few rows very often: its gradient on the CPU is a count, four times faster than a scatter."""

from typing import Any

import torch
from torch.autograd.function import once_differentiable
from torch.nn.functional import embedding


def look_up(table: torch.Tensor, row: torch.Tensor) -> torch.Tensor:
    """Rows of a table, differentiable in the table.

    Args:
        table: Shape (R, H), few rows and columns.
        row: Any shape, int64 in [0, R).

    Returns:
        The shape of `row`, then H.
    """
    if table.device.type != "cpu":
        return embedding(row, table)
    found: torch.Tensor = _LookUp.apply(table, row)  # type: ignore[no-untyped-call]
    return found


class _LookUp(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, table: torch.Tensor, row: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(row)
        ctx.n_rows = len(table)
        return table[row]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        (row,) = ctx.saved_tensors
        columns = gradient.reshape(-1, gradient.shape[-1]).unbind(1)  # H times (N,)
        sums = [torch.bincount(row.flatten(), weights=column, minlength=ctx.n_rows) for column in columns]
        return torch.stack(sums, dim=1).to(gradient.dtype), None
