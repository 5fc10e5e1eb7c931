"""Softmax over the whole catalogue, with the gradient formed in the forward pass so that no (B, I) matrix is kept."""

from typing import Any

import torch
from torch.autograd.function import once_differentiable

_CHUNK_ELEMENTS = 512 * 4096
_SAFE_SCALE = 40.0


def full_softmax(users: torch.Tensor, items: torch.Tensor, target_idx: torch.Tensor, *, scale: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy of the target item against all items.

    Works on chunks of rows that stay in cache, and forms the gradients of all inputs on the way, so memory does not grow
    with B · I. Under autocast the three products run in its type; sums and logarithms stay float32.

    Args:
        users: Shape (B, D) unit vectors.
        items: Shape (I, D) unit vectors of all items.
        target_idx: Shape (B,) int64, the row of `items` that is right.
        scale: Shape (), one over the temperature.

    Returns:
        Shape (): mean over B of -log softmax(scale · users @ items.T)[target].

    Source: van den Oord et al., arXiv:1807.03748, eq. 4, with all items as the set.
    """
    loss: torch.Tensor = _FullSoftmax.apply(users, items, target_idx, scale)  # type: ignore[no-untyped-call]
    return loss


class _FullSoftmax(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, users: torch.Tensor, items: torch.Tensor, target_idx: torch.Tensor, scale: torch.Tensor
    ) -> torch.Tensor:
        device = users.device.type
        dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else users.dtype
        with torch.autocast(device, enabled=False):
            loss, *gradients = _loss_and_gradients(users.to(dtype), items.to(dtype), target_idx, scale, users.dtype)
        ctx.save_for_backward(*gradients)
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        to_users, to_items, to_scale = ctx.saved_tensors
        return to_users * gradient, to_items * gradient, None, to_scale * gradient


def _loss_and_gradients(
    users: torch.Tensor, items: torch.Tensor, target_idx: torch.Tensor, scale: torch.Tensor, out_dtype: torch.dtype
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Each chunk of rows costs three products and two passes over its (C, I) weights; all else is (C, D)."""
    n_rows, chunk = len(users), max(64, _CHUNK_ELEMENTS // len(items))
    factor = float(scale)
    loss = torch.zeros((), dtype=out_dtype, device=users.device)
    to_scale = torch.zeros((), dtype=out_dtype, device=users.device)
    to_users = torch.empty(users.shape, dtype=out_dtype, device=users.device)  # (B, D)
    to_items = torch.zeros(items.shape, dtype=out_dtype, device=users.device)  # (I, D)
    transposed = items.t()
    for begin in range(0, n_rows, chunk):
        part = users[begin : begin + chunk]  # (C, D)
        targets = target_idx[begin : begin + chunk]  # (C,)
        positives = items[targets].to(out_dtype)  # (C, D)
        logits = (part * factor) @ transposed  # (C, I)
        # Cosines are at most 1, so the scale bounds the logits; only a steep one needs its maximum taken off.
        top = logits.max(1, keepdim=True).values if factor > _SAFE_SCALE else logits.new_zeros(1, 1)
        weight = logits.sub_(top).exp_() if factor > _SAFE_SCALE else logits.exp_()  # (C, I)
        total = weight.sum(1, keepdim=True, dtype=out_dtype)  # (C, 1)
        expected = (weight @ items).to(out_dtype).div_(total)  # (C, D), the mean item under the softmax
        exact = part.to(out_dtype)
        target_cosine = (exact * positives).sum(1)  # (C,)
        loss += (total.log() + top)[:, 0].sum() - factor * target_cosine.sum()
        to_scale += (exact * expected).sum() - target_cosine.sum()
        to_users[begin : begin + chunk] = expected - positives
        to_items += weight.t() @ (exact / total).to(users.dtype)  # (I, D)
        to_items.index_add_(0, targets, exact, alpha=-1)
    return loss / n_rows, to_users * (factor / n_rows), to_items * (factor / n_rows), to_scale / n_rows
