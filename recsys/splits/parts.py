"""The three parts of a split."""

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from recsys.core.columns import ITEM_ID, TIMESTAMP, USER_ID
from recsys.splits.facts import Protocol, SplitFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A log cut in three.

    Attributes:
        protocol: By which rule.
        train: Sorted by user and time.
        validation: Likewise; every event is later in its user's history than the user's train events.
        test: Likewise, later than validation.
        has_validation: Whether the protocol sets a validation part aside.
        by_moment: Whether all events of one time are held out together.
        validation_start: The moment from which events are validation; None if each user has one of their own.
        cut: The moment before which everything known at test time happened; None if each user has a cut of their own.
        n_users_all_train: Users with too few events to be cut.
        n_of_new_users: Test events left out, since their user has no event before the cut.
        n_cold_items: Items withheld wholly.
        n_cold_test_events: Test events on them.
        n_withheld: Train and validation events on them, left out.
    """

    protocol: Protocol
    train: pl.DataFrame
    validation: pl.DataFrame
    test: pl.DataFrame
    has_validation: bool = True
    by_moment: bool = False
    validation_start: datetime | None = None
    cut: datetime | None = None
    n_users_all_train: int = 0
    n_of_new_users: int = 0
    n_cold_items: int = 0
    n_cold_test_events: int = 0
    n_withheld: int = 0

    @property
    def n_dropped(self) -> int:
        """Rows that the protocol leaves out on purpose."""
        return self.n_of_new_users + self.n_withheld

    def facts(self) -> SplitFacts:
        """What the manifest says of the cut."""
        pairs = self.test.select(USER_ID, ITEM_ID).unique()
        known = pl.concat([part.select(USER_ID, ITEM_ID) for part in (self.train, self.validation)])
        return SplitFacts(
            protocol=self.protocol,
            has_validation=self.has_validation,
            by_moment=self.by_moment,
            validation_start=None if self.validation_start is None else self.validation_start.isoformat(),
            cut=None if self.cut is None else self.cut.isoformat(),
            n_train=self.train.height,
            n_validation=self.validation.height,
            n_test=self.test.height,
            n_users_all_train=self.n_users_all_train,
            n_test_events_of_new_users=self.n_of_new_users,
            n_cold_items=self.n_cold_items,
            n_cold_test_events=self.n_cold_test_events,
            n_withheld_events=self.n_withheld,
            n_test_pairs=pairs.height,
            n_repeated_test_pairs=pairs.join(known, on=[USER_ID, ITEM_ID], how="semi").height,
            repeat_share=repeat_share(self.train),
        )


def repeat_share(events: pl.DataFrame) -> float:
    """Share of events with an item that the user took on an earlier day; days are those of UTC.

    Args:
        events: user_id, item_id, timestamp.

    >>> from datetime import datetime
    >>> days = [datetime(2026, 1, day) for day in (1, 1, 2, 3)]
    >>> repeat_share(pl.DataFrame({"user_id": ["u"] * 4, "item_id": ["a", "a", "a", "b"], "timestamp": days}))
    0.25
    """
    day = pl.col(TIMESTAMP).dt.truncate("1d")
    first = pl.col(TIMESTAMP).min().over(USER_ID, ITEM_ID).dt.truncate("1d")
    return float(events.select((day > first).mean()).item() or 0.0)
