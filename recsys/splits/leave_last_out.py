"""Leave-last-out: each user's last event is test, the second last validation if wanted, the rest train."""

import polars as pl

from recsys.core.columns import USER_ID
from recsys.core.errors import DataError
from recsys.splits.parts import Split


def split_leave_last_out(interactions: pl.DataFrame, *, validation: bool = True) -> Split:
    """Cut every history before its last two events, or its last one. Users with fewer than 3 events, or 2, are all train.

    Ties of time keep the order of the rows. The protocol leaks the future across users by design (one user's train
    event may be later than another's test event), so quote a temporal split beside it.

    Args:
        interactions: Sorted by user and time.
        validation: Whether the second last event is validation; else it is train, and the validation part has no rows.

    Raises:
        DataError: No user has 3 events, or 2 without validation.

    Source: the protocol of Kang & McAuley, "Self-Attentive Sequential Recommendation", ICDM 2018, section IV; without
        validation, `research/data/reco_dataset.py` of Meta's generative-recommenders.
    """
    counted = interactions.with_columns(from_end=pl.int_range(pl.len(), 0, -1).over(USER_ID) - 1, length=pl.len().over(USER_ID))
    needed = 3 if validation else 2
    is_long = pl.col("length") >= needed
    is_test = is_long & (pl.col("from_end") == 0)
    is_validation = is_long & (pl.col("from_end") == 1) & validation
    parts = [counted.filter(part).drop("from_end", "length") for part in (~is_test & ~is_validation, is_validation, is_test)]
    if parts[2].is_empty():
        longest = max(counted["length"], default=0)
        raise DataError(
            f"leave_last_out: some user must have {needed} events, got at most {longest}; "
            "give a longer log or use the temporal split"
        )
    n_short = interactions[USER_ID].n_unique() - parts[2].height
    facts: dict[str, object] = {"protocol": "leave_last_out", "n_users_all_train": n_short} | _describe(validation=validation)
    if n_short:
        facts["rule"] = f"{facts['rule']}; {n_short:,} users with fewer than {needed} events are all train"
    return Split(train=parts[0], validation=parts[1], test=parts[2], facts=facts)


def _describe(*, validation: bool) -> dict[str, str]:
    if validation:
        return {
            "cut": "before each user's last two events",
            "rule": "each user's last event is test, the second last validation",
            "trained_on": "all but each user's last two events; validation events are in the histories that the test asks with",
        }
    return {
        "cut": "before each user's last event",
        "rule": "each user's last event is test; there is no validation part",
        "trained_on": "all but each user's last event",
    }
