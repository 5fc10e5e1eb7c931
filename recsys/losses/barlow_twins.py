"""Two views of one thing agree in every dimension, and no dimension says what another one says: no negatives are needed."""

import torch

_EPSILON = 1e-5


def barlow_twins(first: torch.Tensor, second: torch.Tensor, *, redundancy_weight: float) -> torch.Tensor:
    """How far the cross-correlation of two sets of views is from the identity, averaged over dimensions.

    Args:
        first: Shape (B, D), one view of each thing; with fewer than two, the loss is 0.
        second: Shape (B, D), another view, row by row of the same things.
        redundancy_weight: Weight of the correlations between different dimensions.

    Returns:
        Shape (): the sum over i of (1 - C_ii)² plus the weighted sum of C_ij² over i and j that differ, over D.

    Source: Zbontar et al., "Barlow Twins", arXiv:2103.03230, eq. 1 and 2; the division by D is ours, so that the weight of the
    term means the same for all sizes.
    """
    if len(first) < 2:
        return (first.sum() + second.sum()) * 0
    n_rows, dim = first.shape
    correlation = _standardise(first).t() @ _standardise(second) / n_rows  # (D, D)
    own = correlation.diagonal()  # (D,)
    between = correlation.square().sum() - own.square().sum()  # ()
    return ((1 - own).square().sum() + redundancy_weight * between) / dim


def _standardise(views: torch.Tensor) -> torch.Tensor:
    """Each dimension with mean 0 and variance 1 over the rows."""
    centred = views.float() - views.float().mean(0)  # (B, D)
    return centred / (centred.square().mean(0) + _EPSILON).sqrt()  # (B, D)
