"""Softmax over the whole catalogue, with the gradient formed in the forward pass so that no (B, I) matrix is kept."""

import math
from typing import Any

import torch
from torch.autograd.function import once_differentiable

_LOG2_E = math.log2(math.e)
_SAFE_SCALE = 40.0


def full_softmax(
    users: torch.Tensor,
    items: torch.Tensor,
    target_idx: torch.Tensor,
    *,
    scale: torch.Tensor,
    offset: torch.Tensor | None = None,
    chunk_scores: int = 3_300_000,
) -> torch.Tensor:
    """Mean cross-entropy of the target item against all items.

    Works on chunks of rows that stay in cache, and forms the gradients of all inputs on the way, so memory does not grow
    with B · I. Under autocast the three products run in its type, and a row's sum
    of exponentials is rounded to it; logarithms and the sum over rows stay float32.

    Args:
        users: Shape (B, D) unit vectors.
        items: Shape (I, D) unit vectors of all items.
        target_idx: Shape (B,) int64, the row of `items` that is right.
        scale: Shape (), one over the temperature.
        offset: Shape (I,), at most 0, without a gradient: what is added to each item's logit; None is nothing.
        chunk_scores: Scores held at once; what fits in cache is fastest. A chunk has at least 64 rows.

    Returns:
        Shape (): mean over B of -log softmax(scale · users @ items.T + offset)[target].

    Source: van den Oord et al., arXiv:1807.03748, eq. 4, with all items as the set; the offset: Menon et al., "Long-tail
    learning via logit adjustment", arXiv:2007.07314, eq. 10.
    """
    loss: torch.Tensor = _FullSoftmax.apply(users, items, target_idx, scale, offset, chunk_scores)  # type: ignore[no-untyped-call]
    return loss


class _FullSoftmax(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        users: torch.Tensor,
        items: torch.Tensor,
        target_idx: torch.Tensor,
        scale: torch.Tensor,
        offset: torch.Tensor | None,
        chunk_scores: int,
    ) -> torch.Tensor:
        device = users.device.type
        dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else users.dtype
        with torch.autocast(device, enabled=False):
            loss, *gradients = _loss_and_gradients(users, items, target_idx, scale, offset, dtype, chunk_scores)
        ctx.save_for_backward(*gradients)
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        to_users, to_items, to_scale = ctx.saved_tensors
        if gradient.device.type == "cpu" and float(gradient) == 1.0:
            return to_users, to_items, None, to_scale, None, None
        return to_users * gradient, to_items * gradient, None, to_scale * gradient, None, None


def _loss_and_gradients(
    users: torch.Tensor,
    items: torch.Tensor,
    target_idx: torch.Tensor,
    scale: torch.Tensor,
    offset: torch.Tensor | None,
    dtype: torch.dtype,
    chunk_scores: int,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Each chunk of rows costs three products and two passes over its (C, I) weights; all else is (B, D)."""
    factor, mean = float(scale), 1 / len(users)
    summed, total, top, to_items = _expect(users.to(dtype), items.to(dtype), factor, offset, users.dtype, chunk_scores)
    expected = summed.to(users.dtype).div_(total)  # (B, D), the mean item under the softmax
    positives = items[target_idx]  # (B, D)
    cosines = torch.dot(users.flatten(), positives.flatten())  # (), summed over rows
    loss = (total.log2() + top).sum() / _LOG2_E - factor * cosines
    if offset is not None:
        loss -= offset[target_idx].sum()
    to_scale = torch.dot(users.flatten(), expected.flatten()) - cosines
    to_items.index_add_(0, target_idx, users, alpha=-1)
    to_users = expected.sub_(positives)  # (B, D)
    return loss * mean, to_users.mul_(factor * mean), to_items.mul_(factor * mean), to_scale * mean


def _expect(
    users: torch.Tensor,
    items: torch.Tensor,
    factor: float,
    offset: torch.Tensor | None,
    out_dtype: torch.dtype,
    chunk_scores: int,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """For weights 2^(logit - top), logits and top in base 2, where powers are cheapest: their sum with the items, (B, D);
    alone, (B, 1); top, (B, 1); and, normalised, their sum with the users, (I, D).
    """
    n_rows, chunk = len(users), min(len(users), max(64, chunk_scores // len(items)))
    summed = torch.empty_like(users)  # (B, D)
    total = torch.empty((n_rows, 1), dtype=out_dtype, device=users.device)
    top = torch.zeros((n_rows, 1), dtype=out_dtype, device=users.device)
    to_items = torch.zeros(items.shape, dtype=out_dtype, device=users.device)  # (I, D)
    logits = users.new_empty((chunk, len(items)))  # (C, I), one buffer for all chunks
    scaled = (items * (factor * _LOG2_E)).t()  # (D, I)
    shift = None if offset is None else offset * _LOG2_E  # (I,)
    for begin in range(0, n_rows, chunk):
        rows = slice(begin, begin + chunk)
        part = users[rows]  # (C, D)
        weight = torch.mm(part, scaled, out=logits[: len(part)])  # (C, I)
        if shift is not None:
            weight.add_(shift)
        # Cosines are at most 1 and offsets at most 0: the scale bounds the logits, and only a steep one needs its maximum off.
        if factor > _SAFE_SCALE:
            highest = weight.max(1, keepdim=True).values  # (C, 1)
            top[rows] = highest
            weight.sub_(highest)
        total[rows] = weight.exp2_().sum(1, keepdim=True)
        torch.mm(weight, items, out=summed[rows])
        to_items += weight.t() @ (part / total[rows]).to(users.dtype)  # (I, D)
    return summed, total, top, to_items
