"""`[evaluate]`: which figures."""

from typing import Annotated

from pydantic import Field

from pipelines.settings.table import MOST_SEED, Settings


class EvaluateSettings(Settings):
    """Which figures."""

    ks: list[Annotated[int, Field(ge=1)]] = Field(default=[10, 100], min_length=1, description="List lengths that are judged.")
    n_resamples: int = Field(default=1000, ge=10, description="Resamples of the bootstrap over users.")
    seed: int = Field(default=0, ge=0, lt=MOST_SEED, description="Of the bootstrap and of samples.")
