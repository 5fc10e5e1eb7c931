"""What a log holds, for somebody who sees the report and not the log."""

from datetime import datetime

import polars as pl

from recsys.core.columns import ITEM_ID, TIMESTAMP, USER_ID


def describe_log(events: pl.DataFrame, *, has_time: bool) -> list[str]:
    """The log in lines, each `label: text`.

    Args:
        events: user_id, item_id, timestamp of all parts.
        has_time: Whether timestamps are times.
    """
    of_user = events.group_by(USER_ID).len(name="n")["n"]
    of_item = events.group_by(ITEM_ID).len(name="n")["n"].sort(descending=True)
    pairs = events.select(USER_ID, ITEM_ID).n_unique()
    tenth = of_item.head(max(1, len(of_item) // 10)).sum() / max(events.height, 1)
    lines = [
        f"Events: {events.height:,} of {len(of_user):,} users with {len(of_item):,} items",
        f"Events of a user: {_spread(of_user)}",
        f"Events of an item: {_spread(of_item)}; the tenth that is taken most has {tenth:.0%} of all",
        f"Taken again: {1 - pairs / max(events.height, 1):.0%} of all events are of an item that the user has taken before",
    ]
    if has_time:
        begin, end = events[TIMESTAMP].min(), events[TIMESTAMP].max()
        moments = events.group_by(USER_ID, TIMESTAMP).len(name="n")["n"]
        shared = (moments.filter(moments > 1).sum() or 0) / max(events.height, 1)
        if isinstance(begin, datetime) and isinstance(end, datetime):
            lines.append(f"Dates: {begin:%Y-%m-%d} to {end:%Y-%m-%d}, {(end - begin).days + 1:,} days")
        lines.append(f"Events at one moment: {_spread(moments)}; {shared:.0%} of events share theirs with others of the user")
    return lines


def _spread(counts: pl.Series) -> str:
    """The median and the highest tenth."""
    middle, most = (counts.quantile(share, "nearest") or 0 for share in (0.5, 0.9))
    return f"{middle:,.0f} in the median, {most:,.0f} or more for one in ten"
