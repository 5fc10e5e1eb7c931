"""What is relevant to whom: the test events, as sets."""

from dataclasses import dataclass

import polars as pl

from recsys.core.columns import ITEM_ID, USER_ID
from recsys.core.random import rng_for


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
        n_left_out: Users who are not judged, a sample having been drawn.
    """

    pairs: pl.DataFrame
    n_relevant: pl.DataFrame
    n_missing: int
    ceiling: float
    n_repeats: int
    has_repeats: bool = False
    n_left_out: int = 0


def build_judgements(
    train: pl.DataFrame,
    validation: pl.DataFrame,
    test: pl.DataFrame,
    *,
    has_repeats: bool = False,
    most_users: int | None = None,
    seed: int = 0,
) -> Judgements:
    """Collect each user's test items: those new to the user, or all. Items unknown to train count: nobody can find them.

    Users without an event before the test on an item of train have no history to be served from, and are not judged.

    Args:
        train: user_id, item_id.
        validation: Likewise.
        test: Likewise.
        has_repeats: Whether items count that the user has taken before.
        most_users: Users who are judged, at most; a sample is drawn beyond. All if None.
        seed: Of the draw.
    """
    key = [USER_ID, ITEM_ID]
    seen = pl.concat([train.select(key), validation.select(key)])
    known_users = seen.join(train.select(ITEM_ID).unique(), on=ITEM_ID, how="semi").select(USER_ID).unique()
    pairs = test.select(key).unique().join(known_users, on=USER_ID, how="semi")
    fresh = pairs.join(seen, on=key, how="anti").sort(key)
    n_repeats = pairs.height - fresh.height
    if has_repeats:
        fresh = pairs.sort(key)
    users, n_left_out = fresh[USER_ID].unique().sort(), 0
    if most_users is not None and len(users) > most_users:
        drawn = rng_for(seed, "judged users").choice(len(users), most_users, replace=False)
        fresh = fresh.filter(pl.col(USER_ID).is_in(users.gather(drawn).implode()))
        n_left_out = len(users) - most_users
    reachable = fresh.join(train.select(ITEM_ID).unique(), on=ITEM_ID, how="semi")
    return Judgements(
        pairs=fresh,
        n_relevant=fresh.group_by(USER_ID).len(name="n_relevant").sort(USER_ID),
        n_missing=fresh.height - reachable.height,
        ceiling=reachable.height / fresh.height if fresh.height else 0.0,
        n_repeats=n_repeats,
        has_repeats=has_repeats,
        n_left_out=n_left_out,
    )
