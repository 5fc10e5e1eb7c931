"""`[split]`: who is held out."""

from typing import Literal

from pydantic import Field, model_validator

from pipelines.settings.table import MOST_DAYS, MOST_SEED, Settings

Protocol = Literal["leave_last_out", "temporal"]


class SplitSettings(Settings):
    """Who is held out."""

    protocol: Protocol = Field(
        default="leave_last_out", description="Each user's last event is test, or one moment cuts the log for all users."
    )
    also: list[Protocol] = Field(default=[], description="Protocols that a run goes through as well, each a run of its own.")
    validation: bool = Field(
        default=True,
        description="Whether there is a validation part; without one, training has exactly [train] n_epochs and keeps "
        "the last.",
    )
    validation_share: float = Field(
        default=0.1, gt=0, lt=1, description="Share of all events in the validation window of the temporal protocol."
    )
    test_share: float = Field(
        default=0.1, gt=0, lt=1, description="Share of all events in the test window of the temporal protocol."
    )
    validation_days: float | None = Field(
        default=None, gt=0, le=MOST_DAYS, description="Days of the validation window, instead of its share."
    )
    test_days: float | None = Field(
        default=None, gt=0, le=MOST_DAYS, description="Days of the test window, instead of its share."
    )
    cold_share: float = Field(
        default=0.0, ge=0, lt=1, description="Share of the items that are withheld wholly and stand in the test alone."
    )
    cold_seed: int = Field(default=0, ge=0, lt=MOST_SEED, description="Which items are withheld.")

    @model_validator(mode="after")
    def _windows_need_validation(self) -> "SplitSettings":
        if not self.validation and "temporal" in (self.protocol, *self.also):
            raise ValueError('validation must be true for the protocol "temporal", got false')
        return self
