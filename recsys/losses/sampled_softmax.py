"""Softmax against a shared sample of negatives, corrected so that in expectation it is the full softmax."""

import torch
from torch.nn.functional import softplus


def sampled_softmax(
    users: torch.Tensor,
    positives: torch.Tensor,
    negatives: torch.Tensor,
    *,
    log_expected: torch.Tensor,
    is_false_negative: torch.Tensor,
    scale: torch.Tensor,
) -> torch.Tensor:
    """Mean cross-entropy of the positive against it and N negatives that all rows share.

    Each negative counts exp(logit) / (how often it was expected in the sample), which makes the sum an unbiased estimate of
    the sum over all other items. The positive is always there, so it is not corrected.

    Args:
        users: Shape (B, D) unit vectors.
        positives: Shape (B, D) unit vectors.
        negatives: Shape (N, D) unit vectors.
        log_expected: Shape (N,), log of each negative's expected number in the sample (log-Q).
        is_false_negative: Shape (B, N) bool; true pairs are left out.
        scale: Shape (), one over the temperature.

    Returns:
        Shape ().

    Source: Bengio & Senécal, "Adaptive Importance Sampling", IEEE TNN 2008, eq. 9; Yi et al., RecSys 2019, eq. 5; the
    uncorrected positive: arXiv:2507.09331, section 3.
    """
    positive = scale * (users * positives).sum(-1)  # (B,)
    negative = scale * (users @ negatives.t()).float() - log_expected  # (B, N)
    rest = negative.masked_fill(is_false_negative, float("-inf")).logsumexp(1)  # (B,)
    return softplus(rest - positive).mean()
