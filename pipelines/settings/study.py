"""`[study]`: how much pre-training is worth when only some users have training targets."""

from typing import Annotated

from pydantic import Field

from pipelines.settings.table import MOST_SEED, Settings


class StudySettings(Settings):
    """How much pre-training is worth when only some users have training targets."""

    shares: list[Annotated[float, Field(gt=0, le=1)]] = Field(
        default=[0.01, 0.05, 0.2, 1.0], min_length=1, description="Shares of the users that have targets."
    )
    seeds: list[Annotated[int, Field(ge=0, lt=MOST_SEED)]] = Field(
        default=[0], min_length=1, description="Seeds that each share is trained with."
    )
    longest: int = Field(default=10, ge=1, description="How many times as many epochs the smallest shares get, at most.")
    patience: int = Field(default=8, ge=1, description="Epochs without a better validation NDCG@10 before training stops.")
