"""What the stage `embed` tells of the vectors."""

from dataclasses import dataclass
from typing import Literal

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
        device: As set: where further users of this run are encoded.
        batch_tokens: Padded events that are encoded at once.
    """

    n_items: int
    n_users: int
    n_cold_items: int
    dim: int
    score: Score
    reads_times: bool
    device: Literal["auto", "cpu", "cuda"]
    batch_tokens: int
