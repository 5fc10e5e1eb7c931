"""The three parts of a split, and the facts that describe it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import polars as pl


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A log cut in three.

    Attributes:
        train: Sorted by user and time.
        validation: Likewise; every event is later in its user's history than the user's train events.
        test: Likewise, later than validation.
        facts: What the manifest says of the cut: moments, counts, users dropped.
        n_dropped: Rows that the protocol leaves out on purpose.
        cut: The moment before which everything known at test time happened; None if each user has a cut of their own.
    """

    train: pl.DataFrame
    validation: pl.DataFrame
    test: pl.DataFrame
    facts: Mapping[str, object]
    n_dropped: int = 0
    cut: datetime | None = None
