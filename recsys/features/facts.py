"""What the stage `pairs` tells of what the towers read."""

from dataclasses import dataclass
from typing import Literal

RequestTime = Literal["unknown", "cut", "held_out_event"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PairsFacts:
    """A log as the towers read it, in numbers.

    Attributes:
        n_users: Users with a history.
        n_items: Items with a train event.
        n_train: Train events.
        n_validation: Validation events.
        n_unknown_validation: Validation events on items that train does not know.
        has_time: Whether timestamps are times, or the order only.
        request_time: When candidates are asked for: not known, at the cut, or at the time of the user's held-out event.
        n_users_without_request_time: Users of whom it is not known where it is of others.
        n_item_categories: Distinct categories of items.
        n_user_categories: Distinct categories of users.
        n_item_rows_cut: Items with more categories than are read.
        n_user_rows_cut: Users likewise.
        text_dim: Numbers of the text vectors that the item tower reads.
        search_columns: Columns of texts that items are searched by, the first all of them together.
        search_dim: Numbers of their vectors.
    """

    n_users: int
    n_items: int
    n_train: int
    n_validation: int
    n_unknown_validation: int
    has_time: bool
    request_time: RequestTime
    n_users_without_request_time: int
    n_item_categories: int
    n_user_categories: int
    n_item_rows_cut: int
    n_user_rows_cut: int
    text_dim: int
    search_columns: list[str]
    search_dim: int

    @property
    def knows_request_time(self) -> bool:
        """Whether it is known when users are asked about."""
        return self.request_time != "unknown"
