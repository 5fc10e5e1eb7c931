"""What is drawn for one step from its whole batch, the same in all processes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch

from recsys.objectives.term import Drawn


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """Random choices of a step.

    Attributes:
        n_rows: Rows of the whole batch.
        n_targets: Targets of the whole batch.
        terms: What each term drew, by its name; a term that drew nothing is not there.
        distinct: Shape (M,), sorted, all items of this step; None where all items are encoded.
        keys: Filled by the loss: what joins each queue when the step ends.
    """

    n_rows: int
    n_targets: int
    terms: Mapping[str, Drawn]
    distinct: torch.Tensor | None
    keys: dict[str, tuple[torch.Tensor, torch.Tensor]] = field(default_factory=dict)

    def rows(self, part: slice, device: torch.device) -> "Draw":
        """The draw for some rows of the batch, on their device."""
        return Draw(
            n_rows=self.n_rows,
            n_targets=self.n_targets,
            terms={name: drawn.rows(part, device) for name, drawn in self.terms.items()},
            distinct=None if self.distinct is None else self.distinct.to(device),
        )
