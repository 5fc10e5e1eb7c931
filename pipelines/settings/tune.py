"""`[tune]`: what the search for better settings looks through."""

from typing import Annotated

from pydantic import Discriminator, Field, Tag, model_validator

from pipelines.settings.table import MOST_SEED, Settings
from recsys.training.settings import TRAIN_KNOBS

_NOT_SEARCHED = {"n_epochs", "patience", "validation_users", "device", "precision", "threads", "deterministic", "seed"}


class Range(Settings):
    """From where to where a number is looked for."""

    low: float = Field(description="The lowest value.")
    high: float = Field(description="The highest value.")
    log: bool = Field(default=False, description="Whether ratios count, and not differences.")

    @model_validator(mode="after")
    def _is_a_range(self) -> "Range":
        if self.high <= self.low or (self.log and self.low <= 0):
            raise ValueError(f"low must be under high, and above 0 for log, got {self.low} and {self.high}")
        return self


Choices = Annotated[list[str | bool | int | float], Field(min_length=1)]
Searched = Annotated[
    Annotated[Range, Tag("range")] | Annotated[Choices, Tag("list")],
    Discriminator(lambda value: "list" if isinstance(value, list) else "range"),
]


class TuneSettings(Settings):
    """Which settings of `[train]` are searched for, and for how long."""

    n_trials: int = Field(default=30, ge=1, description="Trials to finish.")
    space: dict[str, Searched] = Field(
        min_length=1,
        default={
            "learning_rate": Range(low=1e-3, high=1e-2, log=True),
            "dropout": Range(low=0.0, high=0.6),
            "dim": [64, 128, 256],
            "n_blocks": [1, 2, 3],
            "batch_tokens": [2048, 4096, 8192],
            "same_target_weight": [0.0, 0.1],
        },
        description="Settings of [train], each with a range or a list of choices.",
    )
    seed: int = Field(default=0, ge=0, lt=MOST_SEED, description="Of the search.")

    @model_validator(mode="after")
    def _names_are_settings(self) -> "TuneSettings":
        wrong = sorted(set(self.space) - (set(TRAIN_KNOBS) - _NOT_SEARCHED))
        if wrong:
            raise ValueError(f"space must name settings of [train] that shape model or loss, got {', '.join(wrong)}")
        return self
