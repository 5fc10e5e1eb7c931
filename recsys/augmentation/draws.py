"""Random positions of histories, drawn for all rows at once."""

import numpy as np
import torch

_POSITION_BITS = 20
_POSITIONS = (1 << _POSITION_BITS) - 1
_HIGHEST = 1 << 42


def share_of(length: torch.Tensor, share: float, *, at_least: int) -> torch.Tensor:
    """How many events a share is, rounded down: from `at_least`, though never more than there are. Shape (B,) int64."""
    return (length * share).long().clamp(min=at_least).minimum(length)  # (B,)


def draw_below(bound: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """One whole number a row from 0 to below its bound; 0 where the bound is 0. Shape (B,) int64."""
    drawn = torch.rand(bound.shape, generator=generator, device=bound.device, dtype=torch.float64) * bound  # (B,)
    return drawn.long().minimum((bound - 1).clamp(min=0))  # (B,)


def draw_positions(is_allowed: torch.Tensor, count: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """So many different positions of each row, every set of them as likely as another.

    Args:
        is_allowed: Shape (B, L) bool, the positions to choose among.
        count: Shape (B,) int64, at most as many as are allowed.
        generator: On their device.

    Returns:
        Shape (B, L) bool.
    """
    keys = _draw_keys(is_allowed, generator)  # (B, L)
    last = (count - 1).clamp(min=0)[:, None]  # (B, 1)
    highest = _sort(keys).gather(1, last)  # (B, 1)
    return (keys <= highest) & (count > 0)[:, None]  # (B, L)


def draw_order(begin: torch.Tensor, size: torch.Tensor, generator: torch.Generator, *, width: int) -> torch.Tensor:
    """An order of each row's positions with one stretch shuffled, every order of it as likely as another.

    Args:
        begin: Shape (B,) int64, where the stretch begins.
        size: Shape (B,) int64, how long it is.
        generator: On their device.
        width: L.

    Returns:
        Shape (B, L) int64 positions.
    """
    steps = torch.arange(width, device=begin.device)[None, :]  # (1, L)
    is_before = steps < begin[:, None]  # (B, L)
    is_inside = ~is_before & (steps < (begin + size)[:, None])  # (B, L)
    keys = _draw_keys(is_inside, generator)  # (B, L)
    return _sort(torch.where(is_before, steps, keys)) & _POSITIONS  # (B, L)


def _draw_keys(is_drawn: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Random numbers with their position in the low bits, so that no two of a row are alike; highest where none is drawn."""
    keys = torch.randint(1, _HIGHEST, is_drawn.shape, generator=generator, device=is_drawn.device)  # (B, L)
    keys = keys.masked_fill_(~is_drawn, _HIGHEST)  # (B, L)
    return (keys << _POSITION_BITS).bitwise_or_(torch.arange(is_drawn.shape[1], device=is_drawn.device))  # (B, L)


def _sort(keys: torch.Tensor) -> torch.Tensor:
    """Rows from the lowest; numpy sorts several times faster than torch does on the CPU."""
    if keys.device.type == "cpu":
        return torch.from_numpy(np.sort(keys.numpy(), axis=1))
    return keys.sort(1).values
