"""`[baselines]`: what the model is held against."""

from pydantic import Field

from pipelines.settings.table import MOST_SEED, Settings
from recsys.baselines.facts import BASELINES, BaselineName


class BaselinesSettings(Settings):
    """What the model is held against."""

    names: list[BaselineName] = Field(
        default=list(BASELINES), description="Which baselines; the settings of each are chosen on validation from a small grid."
    )
    k: int = Field(default=100, ge=1, description="Length of their lists.")
    largest_catalogue: int = Field(
        default=15_000, ge=1, description="Items beyond which EASE and iALS are left out; item-kNN and co-visitation never are."
    )
    validation_users: int = Field(default=5_000, ge=1, description="Users that their settings are chosen by, at most.")
    als_dim: int = Field(default=64, ge=1, description="Numbers of a factor of iALS.")
    seed: int = Field(default=0, ge=0, lt=MOST_SEED, description="Of random lists and of the first factors of iALS.")
