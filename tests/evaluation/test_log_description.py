from datetime import UTC, datetime, timedelta

import polars as pl

from recsys.evaluation.log_description import describe_log


def test_a_log_is_told_with_its_size_dates_repeats_and_baskets():
    start = datetime(2026, 1, 1, tzinfo=UTC)
    rows = [("ann", "a", 0), ("ann", "b", 0), ("ann", "a", 9), ("bob", "a", 3)]
    events = pl.DataFrame(
        [(user, item, start + timedelta(days=day)) for user, item, day in rows],
        schema=["user_id", "item_id", "timestamp"],
        orient="row",
    )
    told = dict(line.split(": ", 1) for line in describe_log(events, has_time=True))
    assert told["Events"] == "4 of 2 users with 2 items"
    assert told["Events of an item"].endswith("the tenth that is taken most has 75% of all")
    assert told["Taken again"].startswith("25% of all events")
    assert told["Dates"] == "2026-01-01 to 2026-01-10, 10 days"
    assert told["Events at one moment"].endswith("50% of events share theirs with others of the user")
    assert "Dates" not in " ".join(describe_log(events, has_time=False))
