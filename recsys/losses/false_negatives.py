"""Which negatives are no negatives."""

import torch


def same_item(positive_idx: torch.Tensor, negative_idx: torch.Tensor) -> torch.Tensor:
    """Mark the negatives that are the row's own positive.

    Args:
        positive_idx: Shape (B,) item idx.
        negative_idx: Shape (N,) item idx.

    Returns:
        Shape (B, N) bool.

    >>> same_item(torch.tensor([3, 5]), torch.tensor([5, 7])).tolist()
    [[False, False], [True, False]]
    """
    return positive_idx[:, None] == negative_idx[None, :]
