"""The global temporal split: one moment for all users, with windows for validation and test before and after it."""

from datetime import datetime, timedelta

import polars as pl

from recsys.core.columns import TIMESTAMP, USER_ID
from recsys.core.errors import DataError
from recsys.splits.parts import Split


def split_temporal(
    interactions: pl.DataFrame,
    *,
    validation_share: float,
    test_share: float,
    validation_days: float | None = None,
    test_days: float | None = None,
    end: datetime | None = None,
) -> Split:
    """Train before one moment, validation from there to the cut, test from the cut on.

    Test events of users without an event before the cut are dropped: this protocol asks about known users. Users whose first
    event is in the validation window are known at the cut by that history, and have no part in training.

    Args:
        interactions: Sorted by user and time.
        validation_share: Share of all events in the validation window, unless `validation_days` is given.
        test_share: Share of all events in the test window, unless `test_days` is given.
        validation_days: Length of the validation window in days.
        test_days: Length of the test window in days, counted back from the end.
        end: The moment before which the log ends; its last event if None.

    Raises:
        DataError: A part would be empty.

    Source: Hidasi & Czapp, "Widespread Flaws in Offline Evaluation of Recommender Systems", RecSys 2023.
    """
    times = interactions[TIMESTAMP].sort()
    cut = _window_start(times, test_share, test_days, end=end)
    before = times.filter(times < cut)
    if before.is_empty():
        raise DataError(
            f"temporal: some events must lie before the cut {cut:%Y-%m-%d %H:%M:%S}, got none; shorten the test window"
        )
    share_before = min(validation_share * len(times) / len(before), 1.0)
    validation_start = _window_start(before, share_before, validation_days, end=cut)
    train = interactions.filter(pl.col(TIMESTAMP) < validation_start)
    window = interactions.filter(pl.col(TIMESTAMP).is_between(validation_start, cut, closed="left"))
    future = interactions.filter(pl.col(TIMESTAMP) >= cut)
    known = pl.concat([train, window]).select(USER_ID).unique()
    test = future.join(known, on=USER_ID, how="semi", maintain_order="left")
    judged = window.join(train, on=USER_ID, how="semi")
    for name, part in (("train", train), ("validation", judged), ("test", test)):
        if part.is_empty():
            raise DataError(
                f"temporal: the {name} part must hold events of known users, got none (validation from "
                f"{validation_start:%Y-%m-%d %H:%M:%S}, test from {cut:%Y-%m-%d %H:%M:%S}); change the windows in [split]"
            )
    return Split(
        protocol="temporal",
        by_moment=True,
        train=train,
        validation=window,
        test=test,
        validation_start=validation_start,
        cut=cut,
        n_of_new_users=future.height - test.height,
    )


def _window_start(times: pl.Series, share: float, days: float | None, *, end: datetime | None = None) -> datetime:
    """The first moment of a window that ends with `times`, or at `end`; events with the same time stay on one side."""
    if days is not None:
        last: datetime = times[-1] if end is None else end
        return last - timedelta(days=days)
    start: datetime = times[min(len(times) - 1, round(len(times) * (1 - share)))]
    return start
