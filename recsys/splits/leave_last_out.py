"""Leave-last-out: each user's last event, or moment, is test, the second last validation if wanted, the rest train."""

import polars as pl

from recsys.core.columns import TIMESTAMP, USER_ID
from recsys.core.errors import DataError
from recsys.splits.parts import Split


def split_leave_last_out(interactions: pl.DataFrame, *, validation: bool = True, by_moment: bool = False) -> Split:
    """Cut every history before its last two events, or its last one. Users with fewer than 3 events, or 2, are all train.

    Ties of time keep the order of the rows, or are one moment that is held out as a whole, such as the last basket. The
    protocol leaks the future across users by design (one user's train event may be later than another's test event), so quote
    a temporal split beside it.

    Args:
        interactions: Sorted by user and time.
        validation: Whether the second last event is validation; else it is train, and the validation part has no rows.

        by_moment: Whether all events of one time count as one.

    Raises:
        DataError: No user has 3 events, or 2 without validation; or moments.

    Source: the protocol of Kang & McAuley, "Self-Attentive Sequential Recommendation", ICDM 2018, section IV; without
        validation, `research/data/reco_dataset.py` of Meta's generative-recommenders.
    """
    is_new = (pl.col(TIMESTAMP) != pl.col(TIMESTAMP).shift().over(USER_ID)).fill_null(True) if by_moment else pl.lit(True)
    counted = interactions.with_columns(is_new=is_new).with_columns(
        position=pl.col("is_new").cast(pl.Int64).cum_sum().over(USER_ID)
    )
    counted = counted.with_columns(length=pl.col("position").max().over(USER_ID))
    counted = counted.with_columns(from_end=pl.col("length") - pl.col("position"))
    needed = 3 if validation else 2
    is_long = pl.col("length") >= needed
    is_test = is_long & (pl.col("from_end") == 0)
    is_validation = is_long & (pl.col("from_end") == 1) & validation
    parts = [
        counted.filter(part).drop("is_new", "position", "from_end", "length")
        for part in (~is_test & ~is_validation, is_validation, is_test)
    ]
    if parts[2].is_empty():
        longest = max(counted["length"], default=0)
        raise DataError(
            f"leave_last_out: some user must have {needed} {'moments' if by_moment else 'events'}, got at most {longest}; "
            + ('hold out single events by [ingest] ties = "shuffled", ' if by_moment else "")
            + "give a longer log or use the temporal split"
        )
    n_short = interactions[USER_ID].n_unique() - parts[2][USER_ID].n_unique()
    return Split(
        protocol="leave_last_out",
        train=parts[0],
        validation=parts[1],
        test=parts[2],
        has_validation=validation,
        by_moment=by_moment,
        n_users_all_train=n_short,
    )
