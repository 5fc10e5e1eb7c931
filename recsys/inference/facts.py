"""What the stage `embed` tells of the vectors."""

from dataclasses import dataclass

from recsys.index.nearest import Score


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedFacts:
    """The embedding space in numbers.

    Attributes:
        n_items: I.
        n_users: U.
        n_cold_items: Items without a train event that have a vector by their texts.
        dim: D.
        score: By what training compared a user with an item.
        reads_times: Whether the user tower reads times, or the order only.
    """

    n_items: int
    n_users: int
    n_cold_items: int
    dim: int
    score: Score
    reads_times: bool
