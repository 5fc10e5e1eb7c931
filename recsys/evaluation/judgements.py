"""What is relevant to whom: the test events, as sets."""

from dataclasses import dataclass

import polars as pl

from recsys.core.columns import ITEM_ID, USER_ID


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgements:
    """Relevant items of the users who are judged.

    Attributes:
        pairs: user_id, item_id, distinct, sorted.
        n_relevant: user_id, n_relevant, sorted by user: one row a judged user, at least 1 each.
        n_missing: Relevant pairs whose item is not in train; nobody can find them.
        ceiling: The best mean recall any ranker of train items could reach: the share of relevant pairs whose item is in train.
        n_repeats: Test pairs of items that the user has taken before.
        has_repeats: Whether they are among `pairs`; else they are left out, as lists hold no such item.
    """

    pairs: pl.DataFrame
    n_relevant: pl.DataFrame
    n_missing: int
    ceiling: float
    n_repeats: int
    has_repeats: bool = False


def build_judgements(
    train: pl.DataFrame, validation: pl.DataFrame, test: pl.DataFrame, *, has_repeats: bool = False
) -> Judgements:
    """Collect each user's test items: those new to the user, or all. Items unknown to train count: nobody can find them.

    Users without an event before the test on an item of train have no history to be served from, and are not judged.

    Args:
        train: user_id, item_id.
        validation: Likewise.
        test: Likewise.
        has_repeats: Whether items count that the user has taken before.
    """
    key = [USER_ID, ITEM_ID]
    seen = pl.concat([train.select(key), validation.select(key)])
    known_users = seen.join(train.select(ITEM_ID).unique(), on=ITEM_ID, how="semi").select(USER_ID).unique()
    pairs = test.select(key).unique().join(known_users, on=USER_ID, how="semi")
    fresh = pairs.join(seen, on=key, how="anti").sort(key)
    n_repeats = pairs.height - fresh.height
    if has_repeats:
        fresh = pairs.sort(key)
    reachable = fresh.join(train.select(ITEM_ID).unique(), on=ITEM_ID, how="semi")
    return Judgements(
        pairs=fresh,
        n_relevant=fresh.group_by(USER_ID).len(name="n_relevant").sort(USER_ID),
        n_missing=fresh.height - reachable.height,
        ceiling=reachable.height / fresh.height if fresh.height else 0.0,
        n_repeats=n_repeats,
        has_repeats=has_repeats,
    )
