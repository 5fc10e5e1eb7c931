"""Two descriptions of one thing find each other among the descriptions of all others, from either side."""

import torch


def clip_loss(first: torch.Tensor, second: torch.Tensor, *, is_ignored: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    """Mean of the cross-entropies of rows and of columns, with the diagonal as the right pairs.

    Args:
        first: Shape (B, D) unit vectors; without any, the loss is 0.
        second: Shape (B, D) unit vectors, row by row of the same things.
        is_ignored: Shape (B, B) bool; pairs of different things that cannot be told apart, such as equal texts.
        scale: Shape (), one over the temperature.

    Returns:
        Shape ().

    Source: Radford et al., "CLIP", arXiv:2103.00020, section 2.3 and figure 3.
    """
    own = torch.eye(len(first), dtype=torch.bool, device=first.device)  # (B, B)
    logits = (scale * (first @ second.t()).float()).masked_fill(is_ignored & ~own, float("-inf"))  # (B, B)
    right = logits.diagonal()  # (B,)
    surprise = (logits.logsumexp(0) - right) + (logits.logsumexp(1) - right)  # (B,)
    return surprise.sum() / (2 * max(len(first), 1))
