"""`[index]`: which index, and the recall it must have."""

from typing import Literal

from pydantic import Field

from pipelines.settings.table import MOST_SEED, Settings
from recsys.index.facts import BackendName


class IndexSettings(Settings):
    """Which index, and the recall it must have."""

    backend: Literal["auto", "exact", BackendName] = Field(
        default="auto",
        description="How items are searched: auto is exact up to 50,000 items, beyond that the fastest installed.",
    )
    k: int = Field(default=100, ge=1, description="Length of the lists that recall is measured on.")
    target_recall: float = Field(
        default=0.99, gt=0, le=1, description="Least recall against exact search; below it the run stops."
    )
    measured_users: int = Field(default=500, ge=1, description="Users whose lists are measured.")
    seed: int = Field(default=0, ge=0, lt=MOST_SEED, description="Of the index and of the users measured.")
