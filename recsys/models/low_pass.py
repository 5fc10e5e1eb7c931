"""A low-pass filter over each prefix of a history: what changes slowly is kept, what changes fast is weighted anew."""

import math

import torch
from torch import nn


class LowPass(nn.Module):
    """The slow part of each prefix at its last event, plus the learned share of the fast part.

    BSARec filters a whole history with a Fourier transform, which lets an event see later ones. Here each prefix is filtered
    by itself and read at its last event; that is one fixed lower triangular matrix, so position t sees positions up to t
    only and right padding changes nothing.

    Args:
        dim: D.
        n_frequencies: How many of the lowest frequencies count as slow; 1 is the mean alone.

    Source: Shin et al., "An Attentive Inductive Bias for Sequential Recommendation beyond the Self-Attention", AAAI 2024,
    eq. 7 to 9.
    """

    kernel: torch.Tensor

    def __init__(self, dim: int, *, n_frequencies: int) -> None:
        super().__init__()
        self.n_frequencies = n_frequencies
        self.register_buffer("kernel", prefix_low_pass(1, n_frequencies=n_frequencies), persistent=False)
        self.fast_share = nn.Parameter(torch.randn(dim))

    def forward(self, history: torch.Tensor) -> torch.Tensor:
        """Shape (B, L, D) to (B, L, D)."""
        length = history.shape[1]
        if length > len(self.kernel):
            with torch.inference_mode(False):  # in validation too: the next training step needs it
                self.kernel = prefix_low_pass(length, n_frequencies=self.n_frequencies).to(history.device)  # (L, L)
        slow = self.kernel[:length, :length].to(history.dtype) @ history  # (B, L, D)
        return slow + self.fast_share**2 * (history - slow)  # (B, L, D)


def prefix_low_pass(length: int, *, n_frequencies: int) -> torch.Tensor:
    """The matrix that takes a history to the low-pass value of each of its prefixes at the prefix's last event.

    Row t is the inverse of the real Fourier transform of t + 1 events, cut after `n_frequencies`, at its last step.

    Args:
        length: L.
        n_frequencies: Frequencies that are kept, from 0 up; a prefix of n events has n // 2 + 1 of them.

    Returns:
        Shape (L, L) float32, lower triangular; each row sums to 1.
    """
    step = torch.arange(length, dtype=torch.float64)
    size = step[:, None] + 1  # (L, 1), events of each prefix
    age = step[:, None] - step[None, :]  # (L, L)
    kernel = torch.ones(length, length, dtype=torch.float64)
    for frequency in range(1, n_frequencies):
        weight = (2 * frequency < size) * 2.0 + (2 * frequency == size) * 1.0  # (L, 1)
        kernel += weight * torch.cos(2 * math.pi * frequency * age / size)
    return (kernel / size).tril().float()
