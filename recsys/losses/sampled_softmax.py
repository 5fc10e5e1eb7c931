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
    positive_log_expected: torch.Tensor | None = None,
    n_hard: int | None = None,
) -> torch.Tensor:
    """Mean cross-entropy of the positive against it and N negatives that all rows share.

    Each negative counts exp(logit) / (how often it was expected in the sample), which makes the sum an unbiased estimate of
    the sum over all other items. The positive is always there, so it is not corrected (the form of 2025), unless
    `positive_log_expected` asks for the form of 2019, which treats it as one more draw.

    Args:
        users: Shape (B, D) unit vectors.
        positives: Shape (B, D) unit vectors.
        negatives: Shape (N, D) unit vectors.
        log_expected: Shape (N,), log of each negative's expected number in the sample (log-Q).
        is_false_negative: Shape (B, N) bool; true pairs are left out.
        scale: Shape (), one over the temperature.
        positive_log_expected: Shape (B,), log-Q of each positive; None leaves it uncorrected.
        n_hard: Only so many negatives of the largest corrected logit count in each row; None takes all. The estimate is then
            no longer unbiased: the easy ones are taken for nothing.

    Returns:
        Shape ().

    Source: Bengio & Senécal, "Adaptive Importance Sampling", IEEE TNN 2008, eq. 9; corrected positive: Yi et al., RecSys
    2019, eq. 5; uncorrected positive: arXiv:2507.09331, section 3.
    """
    positive = scale * (users * positives).sum(-1)  # (B,)
    if positive_log_expected is not None:
        positive = positive - positive_log_expected  # (B,)
    negative = scale * (users @ negatives.t()).float() - log_expected  # (B, N)
    negative = negative.masked_fill(is_false_negative, float("-inf"))  # (B, N)
    if n_hard is not None and n_hard < negative.shape[1]:
        negative = negative.topk(n_hard, dim=1, sorted=False).values  # (B, n_hard)
    return softplus(negative.logsumexp(1) - positive).mean()
