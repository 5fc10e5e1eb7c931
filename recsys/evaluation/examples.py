"""Lists to read: what some users took, what they were recommended, and which items are near which."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from recsys.core.columns import ITEM_ID, RANK, TIMESTAMP, USER_ID
from recsys.core.random import rng_for
from recsys.data.schema import text_columns

_MOST_HISTORY, _MOST_LISTED, _MOST_NEAR, _MOST_TEXT = 5, 10, 5, 80


@dataclass(frozen=True, slots=True, kw_only=True)
class UserExample:
    """One user.

    Attributes:
        user: Their id.
        history: What they took before the test, the last first.
        taken: What they took in the test.
        listed: What they were recommended, the best first, and whether they took it.
    """

    user: str
    history: list[str]
    taken: list[str]
    listed: list[tuple[str, bool]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemExample:
    """One item.

    Attributes:
        item: Its title.
        similar: The items that are near to it.
    """

    item: str
    similar: list[str]


def choose_users(
    candidates: Path, before: pl.DataFrame, relevant: pl.DataFrame, items: pl.DataFrame | None, *, n: int, seed: int
) -> list[UserExample]:
    """Some of the judged users, drawn by chance.

    Args:
        candidates: The published lists.
        before: user_id, item_id, timestamp of what they took before the test.
        relevant: user_id, item_id of what they took in it.
        items: item_id and attributes; None if nothing is known of them.
        n: How many users.
        seed: Of the draw.
    """
    users = relevant[USER_ID].unique().sort()
    drawn = users.gather(np.sort(rng_for(seed, "examples").choice(len(users), min(n, len(users)), replace=False)))
    own = pl.col(USER_ID).is_in(drawn.implode())
    lists = pl.scan_parquet(candidates).filter(own, pl.col(RANK) <= _MOST_LISTED).sort(USER_ID, RANK).collect()
    history = before.filter(own).sort(TIMESTAMP, descending=True, maintain_order=True)
    taken = relevant.filter(own)
    titles = _titles(items, [table[ITEM_ID] for table in (lists, history, taken)])

    def of(table: pl.DataFrame, user: str) -> list[str]:
        return table.filter(pl.col(USER_ID) == user)[ITEM_ID].to_list()

    found = []
    for user in drawn:
        hits = set(of(taken, user))
        found.append(
            UserExample(
                user=user,
                history=[titles[item] for item in of(history, user)[:_MOST_HISTORY]],
                taken=[titles[item] for item in sorted(hits)[:_MOST_LISTED]],
                listed=[(titles[item], item in hits) for item in of(lists, user)],
            )
        )
    return found


def choose_items(similar: Path, catalogue: pl.DataFrame, items: pl.DataFrame | None, *, n: int, seed: int) -> list[ItemExample]:
    """Some items and their neighbours: the most popular ones, and others drawn by chance.

    Args:
        similar: `item_id, similar_item_id, rank`; nothing comes back where it is missing.
        catalogue: item_id and count of train events.
        items: item_id and attributes; None if nothing is known of them.
        n: How many items.
        seed: Of the draw.
    """
    if not similar.is_file():
        return []
    ordered = catalogue.sort("count", ITEM_ID, descending=[True, False])[ITEM_ID]
    first, rest = ordered.head(n // 2), ordered[n // 2 :]
    others = rest.gather(np.sort(rng_for(seed, "similar").choice(len(rest), min(n - n // 2, len(rest)), replace=False)))
    drawn = pl.concat([first, others])
    near = pl.scan_parquet(similar).filter(pl.col(ITEM_ID).is_in(drawn.implode()), pl.col(RANK) <= _MOST_NEAR)
    table = near.sort(ITEM_ID, RANK).collect()
    titles = _titles(items, [drawn, table["similar_item_id"]])
    return [
        ItemExample(
            item=titles[item],
            similar=[titles[other] for other in table.filter(pl.col(ITEM_ID) == item)["similar_item_id"]],
        )
        for item in drawn
    ]


def _titles(items: pl.DataFrame | None, used: Sequence[pl.Series]) -> dict[str, str]:
    """What people call each item: its first text and its id."""
    ids = pl.concat([each.cast(pl.String) for each in used]).unique()
    named = dict(zip(ids, ids, strict=True))
    columns = [] if items is None else text_columns(items)
    if items is None or not columns:
        return named
    known = items.filter(pl.col(ITEM_ID).is_in(ids.implode()), pl.col(columns[0]).is_not_null())
    texts = ((item, " ".join(str(text).split())) for item, text in known.select(ITEM_ID, columns[0]).iter_rows())
    return named | {item: f"{text[:_MOST_TEXT]} ({item})" for item, text in texts if text}
