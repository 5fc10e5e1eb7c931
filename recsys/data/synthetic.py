"""A small world with known structure, for tests and a first look: users drift between topics, items belong to one."""

import numpy as np
import polars as pl

from recsys.core.columns import ITEM_ID, TIMESTAMP, USER_ID
from recsys.core.random import rng_for
from recsys.data.schema import CATEGORIES, RawTables

_START_SECONDS = 1_600_000_000
_DAY_SECONDS = 86_400


def build_synthetic(*, n_users: int, n_items: int, n_topics: int, seed: int) -> RawTables:
    """Draw a log in which the next item mostly follows the last one inside its topic.

    Every item has a topic and a successor in it; a user walks along successors, now and then jumps inside the topic
    (popular items first), and seldom changes topic. So order, topic and popularity all carry signal, and order the most.

    Args:
        n_users: Number of users, each with 8 to 40 events.
        n_items: Number of items.
        n_topics: Number of topics, at most `n_items`.
        seed: The world's seed.

    Returns:
        Interactions, items (title, topic, year) and users (group).
    """
    rng = rng_for(seed, "synthetic")
    topic_of = np.sort(rng.integers(0, n_topics, n_items))
    members = [np.flatnonzero(topic_of == topic) for topic in range(n_topics)]
    members = [group for group in members if len(group)]
    users, items, times = [], [], []
    for user in range(n_users):
        history = _walk(members, int(rng.integers(8, 41)), rng)
        start = _START_SECONDS + int(rng.integers(0, 120)) * _DAY_SECONDS
        users += [f"u{user:05d}"] * len(history)
        items += [f"i{item:05d}" for item in history]
        times += list(start + np.cumsum(rng.integers(60, 4 * _DAY_SECONDS, len(history))))
    log = pl.DataFrame({USER_ID: users, ITEM_ID: items, TIMESTAMP: times})
    catalogue = pl.DataFrame(
        {
            ITEM_ID: [f"i{item:05d}" for item in range(n_items)],
            "title": [f"Tale {item} of topic {topic_of[item]}" for item in range(n_items)],
            "topic": [[f"topic-{topic_of[item]}"] for item in range(n_items)],
            "year": rng.integers(1960, 2020, n_items).astype(np.float64),
        },
        schema_overrides={"topic": CATEGORIES},
    )
    people = pl.DataFrame(
        {USER_ID: [f"u{user:05d}" for user in range(n_users)], "group": [[f"g{user % 3}"] for user in range(n_users)]},
        schema_overrides={"group": CATEGORIES},
    )
    timed = log.lazy().with_columns((pl.col(TIMESTAMP) * 1_000_000).cast(pl.Datetime("us", "UTC")))
    return RawTables(interactions=timed, items=catalogue, users=people)


def _walk(members: list[np.ndarray], length: int, rng: np.random.Generator) -> list[int]:
    """One user's distinct items in order."""
    topic = int(rng.integers(0, len(members)))
    seen: dict[int, None] = {}
    position = 0
    for _ in range(20 * length):
        if len(seen) == length:
            break
        chance = rng.random()
        if chance < 0.05:
            topic = int(rng.integers(0, len(members)))
        group = members[topic]
        jump = chance < 0.3
        position = int(len(group) * rng.random() ** 2) if jump else (position + 1) % len(group)
        seen.setdefault(int(group[min(position, len(group) - 1)]))
    return list(seen)
