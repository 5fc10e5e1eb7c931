"""`[evaluate]`: which figures."""

from typing import Annotated, Literal

from pydantic import Field

from pipelines.settings.table import MOST_SEED, Settings, Text
from recsys.splits.facts import Repeats

_LENGTHS = (1, 5, 10, 20, 50, 100, 200)


class EvaluateSettings(Settings):
    """Which figures."""

    k: int = Field(default=10, ge=1, description="The list length that models are compared at, and promoted by.")
    ks: Literal["auto"] | Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1)] = Field(
        default="auto",
        description="List lengths that are judged beside it. auto: those of 1, 5, 10, 20, 50, 100 and 200 that lists reach.",
    )
    repeats: Repeats = Field(
        default="auto",
        description="What is judged. new: what a user had not taken before; all: that and what was taken again, lists holding "
        "both; both: each; auto: both where more than 5 % of test pairs are repeats, else new.",
    )
    segments: list[Text] = Field(
        default=[],
        description="Columns of users or items, categories or numbers, whose values are judged apart, beside activity, recency "
        "and popularity, which always are.",
    )
    largest_fall: float = Field(
        default=0.25,
        gt=0,
        le=1,
        description="Share of NDCG that a segment of at least 30 users may lose against the strongest single rule; where one "
        "loses more, and not by chance, the model is not promoted. 1 lets every loss pass.",
    )
    most_users: int = Field(
        default=100_000, ge=1, description="Users who are judged, at most; a sample of them is drawn by the seed beyond."
    )
    n_resamples: int = Field(default=1000, ge=10, description="Resamples of the bootstrap over users.")
    seed: int = Field(default=0, ge=0, lt=MOST_SEED, description="Of the bootstrap and of samples of users.")

    def lengths(self, *, longest: int) -> list[int]:
        """All list lengths that are judged, ascending.

        Args:
            longest: Length of the lists.
        """
        chosen = [k for k in _LENGTHS if k <= longest] if self.ks == "auto" else self.ks
        return sorted({*chosen, self.k})
