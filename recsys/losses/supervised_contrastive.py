"""Prefixes that lead to the same item are views of one intent: they attract each other."""

import torch


def supervised_contrastive(
    anchors: torch.Tensor, keys: torch.Tensor, *, is_positive: torch.Tensor, is_ignored: torch.Tensor, scale: torch.Tensor
) -> torch.Tensor:
    """Mean over all anchors of the mean, over an anchor's positives, of their cross-entropy among all its keys.

    Args:
        anchors: Shape (A, D) unit vectors; without any, the loss is 0.
        keys: Shape (K, D) unit vectors.
        is_positive: Shape (A, K) bool; an anchor without a positive counts with 0.
        is_ignored: Shape (A, K) bool; pairs that are neither positive nor negative, such as an anchor and itself.
        scale: Shape (), one over the temperature.

    Returns:
        Shape ().

    Source: Khosla et al., "Supervised Contrastive Learning", arXiv:2004.11362, eq. 2; with the next item as the label: Qiu et
    al., "DuoRec", WSDM 2022, eq. 11, and Qin et al., "ICSRec", WSDM 2024, eq. 7.
    """
    logits = scale * (anchors @ keys.t()).float()  # (A, K)
    among = torch.logsumexp(logits.masked_fill(is_ignored, float("-inf")), dim=1, keepdim=True)  # (A, 1)
    positive = is_positive & ~is_ignored  # (A, K)
    surprise = (among - logits).masked_fill(~positive, 0).sum(1)  # (A,)
    return (surprise / positive.sum(1).clamp(min=1)).sum() / max(len(anchors), 1)
