"""Data-parallel training under torchrun: every process sees the same batch and works on its share of the rows."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import distributed


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

    def sum_gradients(self, model: torch.nn.Module) -> None:
        """Add up the gradients of all processes in one message; afterwards all hold the same."""
        if self.n_workers == 1:
            return
        parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        distributed.all_reduce(flat)
        pieces = torch.split(flat, [gradient.numel() for gradient in gradients])
        for parameter, piece in zip(parameters, pieces, strict=True):
            parameter.grad = piece.view_as(parameter)

    def wait(self) -> None:
        """Go on together, once every process is here."""
        if self.n_workers > 1:
            distributed.barrier()

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
