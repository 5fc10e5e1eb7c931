"""Which items stand against the positives when the catalogue is too large for a full softmax."""

import math

import numpy as np
from numpy.typing import NDArray


def sample_negatives(
    positives: NDArray[np.integer], *, n_items: int, n_uniform: int, n_in_batch: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw one set of negatives for a whole batch: some of its own positives, and some of all items.

    Args:
        positives: Shape (B,), the item idx of the batch's positives, at least one.
        n_items: Size of the catalogue.
        n_uniform: How many to draw uniformly from all items, with replacement.
        n_in_batch: How many to draw from `positives`, with replacement (so each draw has the chance Q of popularity).
        rng: Where the randomness comes from.

    Returns:
        Shape (N,) item idx, N = n_uniform + n_in_batch.
    """
    return np.concatenate([rng.choice(positives, n_in_batch), rng.integers(0, n_items, n_uniform)]).astype(np.int64)


def mixture_log_q(log_popularity: NDArray[np.float32], *, n_uniform: int, n_in_batch: int) -> NDArray[np.float32]:
    """Log of how often an item is expected among N negatives of which some are in-batch and some uniform.

    Args:
        log_popularity: Shape (I,), log of each item's share of training events.
        n_uniform: Uniform draws.
        n_in_batch: Draws from the batch.

    Returns:
        Shape (I,): log(n_in_batch · share + n_uniform / I).

    Source: Yang et al., "Mixed Negative Sampling for Learning Two-tower Neural Networks", WWW 2020, section 3.2.
    """
    n_items = len(log_popularity)
    expected = n_in_batch * np.exp(log_popularity.astype(np.float64)) + n_uniform / n_items
    return np.log(np.maximum(expected, math.exp(-30))).astype(np.float32)
