"""Data-parallel training under torchrun: every process sees the same batch and works on its share of the rows."""

import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import distributed
from torch.autograd.function import once_differentiable


@dataclass(frozen=True, slots=True, kw_only=True)
class Workers:
    """This process among the others.

    Attributes:
        rank: From 0; rank 0 writes files.
        n_workers: How many there are.
    """

    rank: int = 0
    n_workers: int = 1

    @property
    def is_main(self) -> bool:
        """Whether this process writes."""
        return self.rank == 0

    def share(self) -> slice:
        """The rows of a batch that are this process's."""
        return slice(self.rank, None, self.n_workers)

    def sum_gradients(self, model: torch.nn.Module, *, row_by_row: torch.Tensor | None, rows: torch.Tensor) -> None:
        """Add up the gradients of all processes in one message; afterwards all hold the same.

        Args:
            model: Both towers.
            row_by_row: A table whose gradient is sparse.
            rows: Shape (M,), sorted rows of it that this step touches, the same in all processes.
        """
        if self.n_workers == 1:
            return
        parameters = [p for p in model.parameters() if p.requires_grad and p is not row_by_row]
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        if row_by_row is not None:
            own = torch.zeros(len(rows), row_by_row.shape[1], device=rows.device)  # (M, D)
            if row_by_row.grad is not None:
                sparse = row_by_row.grad.coalesce()
                own.index_copy_(0, torch.searchsorted(rows, sparse.indices()[0]), sparse.values().to(own.dtype))
            gradients.append(own)
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        distributed.all_reduce(flat)
        pieces = torch.split(flat, [gradient.numel() for gradient in gradients])
        moves = torch.stack([piece.any() for piece in pieces[: len(parameters)]]).tolist()
        for parameter, piece, is_moved in zip(parameters, pieces[: len(parameters)], moves, strict=True):
            parameter.grad = piece.view_as(parameter) if is_moved else None  # as alone: no gradient, no decay
        if row_by_row is not None:
            values = pieces[-1].view(len(rows), -1)
            row_by_row.grad = torch.sparse_coo_tensor(
                rows[None], values, row_by_row.shape, is_coalesced=True, check_invariants=False
            )

    def gather(self, vectors: torch.Tensor) -> torch.Tensor:
        """The rows of all processes, in the order of ranks; gradients flow back to the process a row came from.

        Args:
            vectors: Shape (N, D), N may differ between processes.
        """
        if self.n_workers == 1:
            return vectors
        gathered: torch.Tensor = _Gather.apply(vectors, self)  # type: ignore[no-untyped-call]
        return gathered

    def sizes(self, n_rows: int, device: torch.device) -> list[int]:
        """How many rows each process holds."""
        own = torch.tensor([n_rows], device=device)
        sizes = [torch.zeros_like(own) for _ in range(self.n_workers)]
        distributed.all_gather(sizes, own)
        return [int(size) for size in sizes]

    def first(self, compute: Callable[[], float | None]) -> float | None:
        """What the first process computes, in all of them: decisions must not hang on the last bit of a number."""
        if self.n_workers == 1:
            return compute()
        value = compute() if self.is_main else None
        total = self.sum(math.nan if value is None and self.is_main else value or 0.0)
        return None if math.isnan(total) else total

    def sum(self, value: float) -> float:
        """Add up one number over all processes."""
        if self.n_workers == 1:
            return value
        total = torch.tensor(value, dtype=torch.float64)
        if distributed.get_backend() == "nccl":
            total = total.cuda()
        distributed.all_reduce(total)
        return float(total)


@contextmanager
def join_workers(device: torch.device) -> Iterator[Workers]:
    """Join the processes that torchrun started; alone if it did not. NCCL on CUDA, Gloo otherwise."""
    n_workers = int(os.environ.get("WORLD_SIZE", "1"))
    if n_workers == 1:
        yield Workers()
        return
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        if device.type == "cuda":
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        yield Workers(rank=distributed.get_rank(), n_workers=n_workers)
    finally:
        distributed.destroy_process_group()


class _Gather(torch.autograd.Function):
    """All rows forward; backward, each process gets the sum of what all of them ask of its rows."""

    @staticmethod
    def forward(ctx: Any, vectors: torch.Tensor, workers: Workers) -> torch.Tensor:
        ctx.sizes, ctx.workers = workers.sizes(len(vectors), vectors.device), workers
        padded = vectors.new_zeros(max(ctx.sizes), *vectors.shape[1:])
        padded[: len(vectors)] = vectors
        parts = [torch.zeros_like(padded) for _ in ctx.sizes]
        distributed.all_gather(parts, padded)
        return torch.cat([part[:size] for part, size in zip(parts, ctx.sizes, strict=True)])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        summed = gradient.clone(memory_format=torch.contiguous_format)
        distributed.all_reduce(summed)
        begin = sum(ctx.sizes[: ctx.workers.rank])
        return summed[begin : begin + ctx.sizes[ctx.workers.rank]], None
