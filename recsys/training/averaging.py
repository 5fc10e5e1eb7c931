"""An exponential moving average of the weights, for validation and for the model that is kept."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


class WeightAverage:
    """Follows a model's parameters; early on it follows faster, so that the start is soon forgotten.

    Args:
        model: Whose weights.
        decay: Share of the average that stays in each step, in (0, 1).
        leave_out: Names of parameters that are not averaged.

    Source: Polyak & Juditsky, SIAM J. Control Optim. 30(4), 1992; the faster start: min(decay, (1 + n) / (10 + n)).
    """

    def __init__(self, model: torch.nn.Module, *, decay: float, leave_out: frozenset[str] = frozenset()) -> None:
        self.decay = decay
        named = model.named_parameters()
        self.average = {name: p.detach().clone() for name, p in named if p.requires_grad and name not in leave_out}
        self.n_steps = 0

    @torch.no_grad()
    def follow(self, model: torch.nn.Module) -> None:
        """Take one step towards the model's weights."""
        self.n_steps += 1
        share = 1 - min(self.decay, (1 + self.n_steps) / (10 + self.n_steps))
        current = [model.get_parameter(name) for name in self.average]
        torch._foreach_lerp_(list(self.average.values()), [p.detach() for p in current], share)

    def restore(self, average: dict[str, torch.Tensor], *, n_steps: int) -> None:
        """Go on from an average that was saved after `n_steps` steps."""
        self.average = {name: average[name].to(value.device) for name, value in self.average.items()}
        self.n_steps = n_steps

    @contextmanager
    def in_place(self, model: torch.nn.Module) -> Iterator[None]:
        """The model with the average as its weights, for a while."""
        self._swap(model)
        try:
            yield
        finally:
            self._swap(model)

    @torch.no_grad()
    def _swap(self, model: torch.nn.Module) -> None:
        for name, value in self.average.items():
            parameter = model.get_parameter(name)
            parameter.data, self.average[name] = value, parameter.data


def start_average(model: torch.nn.Module, *, decay: float, row_by_row: bool) -> WeightAverage | None:
    """An average of all weights but a table that is updated row by row: following each of its rows would cost more than a step.

    Args:
        model: Whose weights.
        decay: Share of the average that stays in each step; 0 averages nothing.
        row_by_row: Whether the item ids are updated row by row.
    """
    leave_out = frozenset({"item_tower.ids.weight"} if row_by_row else ())
    return WeightAverage(model, decay=decay, leave_out=leave_out) if decay else None
