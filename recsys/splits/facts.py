"""What the stage `split` tells of the cut."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Protocol = Literal["leave_last_out", "temporal"]
Repeats = Literal["auto", "new", "all", "both"]
Scope = Literal["new", "all"]
Seen = Literal["auto", "drop", "keep"]
SCOPES: Mapping[str, str] = {"new": "new items", "all": "all items, repeats included"}
_MANY_REPEATS = 0.05  # of what is held out, to be judged too
_MOST_COME_BACK = 0.2  # of train, to be recommended too


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitFacts:
    """How a log was cut.

    Attributes:
        protocol: By which rule.
        has_validation: Whether the protocol sets a validation part aside.
        by_moment: Whether all events of one time are held out together.
        validation_start: The moment from which events are validation, ISO 8601; None if each user has one of their own.
        cut: The moment from which events are test, likewise.
        n_train: Events.
        n_validation: Events.
        n_test: Events.
        n_users_all_train: Users with too few events to be cut.
        n_test_events_of_new_users: Test events left out, since their user has no event before the cut.
        n_cold_items: Items withheld wholly.
        n_cold_test_events: Test events on them.
        n_withheld_events: Train and validation events on them, left out.
        n_test_pairs: Distinct pairs of user and item in test.
        n_repeated_test_pairs: Those that the user has in train or validation.
        repeat_share: Share of train events with an item that the user took on an earlier day.
    """

    protocol: Protocol
    has_validation: bool
    by_moment: bool
    validation_start: str | None
    cut: str | None
    n_train: int
    n_validation: int
    n_test: int
    n_users_all_train: int
    n_test_events_of_new_users: int
    n_cold_items: int
    n_cold_test_events: int
    n_withheld_events: int
    n_test_pairs: int
    n_repeated_test_pairs: int
    repeat_share: float

    def judged(self, repeats: Repeats) -> list[Scope]:
        """What of the test is judged: what is new to a user, all that was taken, or both.

        Args:
            repeats: As asked for; `auto` judges all too where more than 5 % of test pairs are repeats.
        """
        if self.n_repeated_test_pairs == self.n_test_pairs or repeats == "all":
            return ["all"]
        share = self.n_repeated_test_pairs / self.n_test_pairs
        return ["new", "all"] if repeats == "both" or (repeats == "auto" and share > _MANY_REPEATS) else ["new"]

    def published(self, seen: Seen) -> Scope:
        """What lists are made of: what is new to a user, or all.

        Args:
            seen: As asked for; `auto` keeps what was taken before where more than a fifth of the events are such.
        """
        keeps = seen == "keep" or (seen == "auto" and self.repeat_share > _MOST_COME_BACK)
        return "all" if keeps else "new"

    def scopes(self, repeats: Repeats, seen: Seen) -> list[Scope]:
        """All that lists are made for: first what is published, which counts for promotion, then what else is judged."""
        first = self.published(seen)
        return [first, *(scope for scope in self.judged(repeats) if scope != first)]
