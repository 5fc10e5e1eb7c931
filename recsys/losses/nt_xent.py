"""Two views of one thing attract each other among the views of all others."""

import torch


def nt_xent(
    anchors: torch.Tensor, positives: torch.Tensor, keys: torch.Tensor, *, is_ignored: torch.Tensor, scale: torch.Tensor
) -> torch.Tensor:
    """Mean cross-entropy of each anchor's other view among it and the keys.

    Args:
        anchors: Shape (A, D) unit vectors; without any, the loss is 0.
        positives: Shape (A, D) unit vectors, the other view of each.
        keys: Shape (K, D) unit vectors, views of all things.
        is_ignored: Shape (A, K) bool; keys that are no negatives: the anchor, its positive, other views of the same thing.
        scale: Shape (), one over the temperature.

    Returns:
        Shape ().

    Source: Chen et al., "SimCLR", arXiv:2002.05709, eq. 1; with keys of a momentum encoder and a queue: He et al., "MoCo",
    arXiv:1911.05722, eq. 1.
    """
    positive = scale * (anchors * positives).sum(1, keepdim=True).float()  # (A, 1)
    negative = (scale * (anchors @ keys.t()).float()).masked_fill(is_ignored, float("-inf"))  # (A, K)
    surprise = torch.cat([positive, negative], dim=1).logsumexp(1) - positive[:, 0]  # (A,)
    return surprise.sum() / max(len(anchors), 1)
