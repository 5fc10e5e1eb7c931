"""Which items stand against the positives when the catalogue is too large for a full softmax."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class NegativeCounts:
    """How many negatives of each kind one step draws, all with replacement.

    Attributes:
        n_in_batch: From the batch's own positives, so each draw has the chance of popularity.
        n_uniform: From all items alike.
        n_popular: From all items by their share of train events.
    """

    n_in_batch: int
    n_uniform: int
    n_popular: int


class NegativeSampler:
    """Draws one set of negatives for a whole batch, and knows how often each item is expected in it.

    Args:
        log_popularity: Shape (I,), log of each item's share of train events.
        counts: How many of each kind.
    """

    def __init__(self, log_popularity: NDArray[np.float32], *, counts: NegativeCounts) -> None:
        self.counts = counts
        share = np.exp(np.asarray(log_popularity, np.float64))
        self._cumulative = np.cumsum(share / share.sum()) if counts.n_popular else None
        self._n_items = len(share)
        self.log_expected = mixture_log_q(log_popularity, counts=counts)  # (I,)

    def sample(self, positives: NDArray[np.integer], *, rng: np.random.Generator) -> NDArray[np.int64]:
        """Draw the negatives of one step.

        Args:
            positives: Shape (B,), the item idx of the batch's positives, at least one.
            rng: Where the randomness comes from.

        Returns:
            Shape (N,) item idx.
        """
        kinds = [rng.choice(positives, self.counts.n_in_batch), rng.integers(0, self._n_items, self.counts.n_uniform)]
        if self._cumulative is not None:
            drawn = np.searchsorted(self._cumulative, rng.random(self.counts.n_popular), side="right")
            kinds.append(np.minimum(drawn, self._n_items - 1))
        return np.concatenate(kinds).astype(np.int64)


def mixture_log_q(log_popularity: NDArray[np.float32], *, counts: NegativeCounts) -> NDArray[np.float32]:
    """Log of how often each item is expected among the negatives of one step.

    Args:
        log_popularity: Shape (I,), log of each item's share of training events.
        counts: How many are drawn of each kind.

    Returns:
        Shape (I,): log((n_in_batch + n_popular) · share + n_uniform / I).

    Source: Yang et al., "Mixed Negative Sampling for Learning Two-tower Neural Networks", WWW 2020, section 3.2.
    """
    by_share = counts.n_in_batch + counts.n_popular
    expected = by_share * np.exp(log_popularity.astype(np.float64)) + counts.n_uniform / len(log_popularity)
    return np.log(np.maximum(expected, math.exp(-30))).astype(np.float32)
