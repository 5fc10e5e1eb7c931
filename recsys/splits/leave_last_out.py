"""Leave-last-out: each user's last event is test, the second last validation, the rest train."""

import polars as pl

from recsys.core.columns import USER_ID
from recsys.core.errors import DataError
from recsys.splits.parts import Split

_NEEDED = 3


def split_leave_last_out(interactions: pl.DataFrame) -> Split:
    """Cut every history before its last two events. Users with fewer than 3 events are all train.

    Ties of time keep the order of the rows. The protocol leaks the future across users by design (one user's train
    event may be later than another's test event), so quote a temporal split beside it.

    Args:
        interactions: Sorted by user and time.

    Raises:
        DataError: No user has 3 events.

    Source: the protocol of Kang & McAuley, "Self-Attentive Sequential Recommendation", ICDM 2018, section IV.
    """
    counted = interactions.with_columns(from_end=pl.int_range(pl.len(), 0, -1).over(USER_ID) - 1, length=pl.len().over(USER_ID))
    is_long = pl.col("length") >= _NEEDED
    is_test = is_long & (pl.col("from_end") == 0)
    is_validation = is_long & (pl.col("from_end") == 1)
    parts = [counted.filter(part).drop("from_end", "length") for part in (~is_test & ~is_validation, is_validation, is_test)]
    if parts[2].is_empty():
        longest = max(counted["length"], default=0)
        raise DataError(
            f"leave_last_out: some user must have {_NEEDED} events, got at most {longest}; "
            "give a longer log or use the temporal split"
        )
    n_short = interactions[USER_ID].n_unique() - parts[2].height
    facts = {"protocol": "leave_last_out", "cut": "before each user's last two events", "n_users_all_train": n_short}
    return Split(train=parts[0], validation=parts[1], test=parts[2], facts=facts)
