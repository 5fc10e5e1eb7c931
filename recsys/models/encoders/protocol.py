"""What every encoder of histories is, and what its settings can do."""

from dataclasses import dataclass
from typing import Protocol

import torch

from recsys.models.time_gaps import EventTimes


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderShape:
    """What an encoder must fit.

    Attributes:
        dim: D.
        history_length: L, the most events of a history.
        use_time: Whether times are given.
    """

    dim: int
    history_length: int
    use_time: bool


class HistoryEncoder(Protocol):
    """Encodes every prefix of a history; position t depends on positions up to t only, so right padding is harmless."""

    def __call__(self, history: torch.Tensor, times: EventTimes | None) -> torch.Tensor:
        """Shape (B, L, D) to (B, L, D); `times` is None if time is no input."""
        ...


class EncoderSettings(Protocol):
    """The settings of one encoder: a frozen dataclass of knobs."""

    def check(self, shape: EncoderShape) -> None:
        """Refuse a shape that the settings do not fit.

        Raises:
            ConfigError: They do not.
        """
        ...

    def build(self, shape: EncoderShape) -> HistoryEncoder:
        """The encoder, a module with weights drawn from torch's generator.

        Raises:
            ConfigError: The settings do not fit the shape.
        """
        ...
