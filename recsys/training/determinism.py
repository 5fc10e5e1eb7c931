"""The same bytes from the same run, at the price of speed on CUDA."""

import os

import torch


def make_deterministic() -> None:
    """From here on torch takes only algorithms that give the same result each time, and stops where it has none.

    Two runs agree bit for bit on the same machine, with the same number of threads and the same release of torch.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.benchmark = False
