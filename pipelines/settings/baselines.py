"""`[baselines]`: what the model is held against."""

from typing import Literal

from pydantic import Field

from pipelines.settings.table import MOST_DAYS, MOST_SEED, Settings

Baseline = Literal["random", "popularity", "recent_popularity", "item_knn", "ease", "als"]


class BaselinesSettings(Settings):
    """What the model is held against."""

    names: list[Baseline] = Field(
        default=["random", "popularity", "recent_popularity", "item_knn", "ease", "als"], description="Which baselines."
    )
    k: int = Field(default=100, ge=1, description="Length of their lists.")
    recent_days: float = Field(default=7.0, gt=0, le=MOST_DAYS, description="Days that recent popularity counts.")
    n_neighbours: int = Field(default=100, ge=1, description="Neighbours of an item in item-kNN.")
    shrinkage: float = Field(
        default=10.0, ge=0, description="Common users at which a similarity of item-kNN counts half; 0 shrinks none."
    )
    regularisation: float = Field(default=200.0, gt=0, description="What EASE adds to the diagonal of the Gram matrix.")
    largest_catalogue: int = Field(default=15_000, ge=1, description="Items beyond which item-kNN, EASE and iALS are left out.")
    als_dim: int = Field(default=64, ge=1, description="Numbers of a factor of iALS.")
    als_unobserved_weight: float = Field(default=0.3, gt=0, description="Weight of what was not seen, against 1, in iALS.")
    als_regularisation: float = Field(default=0.01, gt=0, description="Of iALS, times the weight of all pairs of a row.")
    seed: int = Field(default=0, ge=0, lt=MOST_SEED, description="Of random lists and of the first factors of iALS.")
