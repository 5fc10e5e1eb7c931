"""`[evaluate]`: which figures."""

from typing import Annotated

from pydantic import Field

from pipelines.settings.table import MOST_SEED, Settings
from recsys.splits.facts import Repeats


class EvaluateSettings(Settings):
    """Which figures."""

    ks: list[Annotated[int, Field(ge=1)]] = Field(default=[10, 100], min_length=1, description="List lengths that are judged.")
    repeats: Repeats = Field(
        default="auto",
        description="What is judged. new: what a user had not taken before; all: that and what was taken again, lists holding "
        "both; both: each; auto: both where more than 5 % of test pairs are repeats, else new.",
    )
    n_resamples: int = Field(default=1000, ge=10, description="Resamples of the bootstrap over users.")
    seed: int = Field(default=0, ge=0, lt=MOST_SEED, description="Of the bootstrap and of samples.")
