"""Small worlds with known structure, for tests and a first look: readers who drift between topics, and a shop."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recsys.core.columns import EVENT, ITEM_ID, TIMESTAMP, USER_ID, WEIGHT
from recsys.core.random import rng_for
from recsys.data.schema import CATEGORIES, RawTables

_START_SECONDS = 1_600_000_000
_DAY_SECONDS = 86_400


def build_synthetic(*, n_users: int, n_items: int, n_topics: int, seed: int) -> RawTables:
    """Draw a log in which the next item mostly follows the last one inside its topic.

    Every item has a topic and a successor in it; a user walks along successors, now and then jumps inside the topic
    (popular items first), and seldom changes topic. So order, topic and popularity all carry signal, and order the most. Ids
    are drawn, and rows stand by time: neither tells what follows.

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
    ids = [f"i{number:05d}" for number in rng_for(seed, "synthetic ids").permutation(n_items)]
    users, items, times = [], [], []
    for user in range(n_users):
        history = _walk(members, int(rng.integers(8, 41)), rng)
        start = _START_SECONDS + int(rng.integers(0, 120)) * _DAY_SECONDS
        users += [f"u{user:05d}"] * len(history)
        items += [ids[item] for item in history]
        times += list(start + np.cumsum(rng.integers(60, 4 * _DAY_SECONDS, len(history))))
    log = pl.DataFrame({USER_ID: users, ITEM_ID: items, TIMESTAMP: times}).sort(TIMESTAMP, maintain_order=True)
    years = rng.integers(1960, 2020, n_items)
    return _tables(log, ids, topic_of, years, n_users=n_users)


def build_shop(*, n_users: int, n_items: int, n_topics: int, basket_size: float, seed: int) -> RawTables:
    """Draw a shop's log as most exports are: baskets whose rows share a time and stand sorted by article number.

    A customer comes 4 to 12 times, some days apart, and mostly buys from two shelves. Articles are numbered shelf by
    shelf, within a shelf in any order.
    A third of what is bought was bought before; one purchase in fifty is sent back. What is in a basket has no order.

    Args:
        n_users: Number of customers.
        n_items: Number of articles.
        n_topics: Number of shelves, at most `n_items`.
        basket_size: Mean number of articles in a basket, above 1.
        seed: The world's seed.

    Returns:
        Interactions (event `buy` or `return`, weight 1 or -1), items (title, topic, year) and users (group).
    """
    rng = rng_for(seed, "synthetic shop")
    topic_of = np.sort(rng.integers(0, n_topics, n_items))
    members = [rng.permutation(group) for topic in range(n_topics) if len(group := np.flatnonzero(topic_of == topic))]
    rows: list[tuple[int, int, int, str, float]] = []
    for customer in range(n_users):
        shelves = [members[int(rng.integers(0, len(members)))] for _ in range(2)]
        time, past = _START_SECONDS + int(rng.integers(0, 60 * _DAY_SECONDS)), list[int]()
        for _ in range(int(rng.integers(4, 13))):
            time += int(rng.integers(_DAY_SECONDS, 30 * _DAY_SECONDS))
            shelf = shelves[int(rng.integers(0, 2))] if rng.random() < 0.9 else members[int(rng.integers(0, len(members)))]
            basket = set[int]()
            for _ in range(1 + int(rng.poisson(basket_size - 1))):
                is_repeat = bool(past) and rng.random() < 1 / 3
                new = int(shelf[int(len(shelf) * rng.random() ** 2)])
                basket.add(past[-1 - int(len(past) * rng.random() ** 2)] if is_repeat else new)
            past += sorted(basket, key=lambda _: rng.random())
            rows += [(customer, item, time, "buy", 1.0) for item in basket]
            rows += [(customer, item, time + 5 * _DAY_SECONDS, "return", -1.0) for item in basket if rng.random() < 0.02]
    ids = [f"{10_000 + number}" for number in range(n_items)]
    rows.sort(key=lambda row: (row[2], row[0], row[1]))
    users, items, times, events, weights = zip(*rows, strict=True)
    log = pl.DataFrame(
        {
            USER_ID: [f"u{number:05d}" for number in users],
            ITEM_ID: [ids[number] for number in items],
            TIMESTAMP: times,
            EVENT: events,
            WEIGHT: weights,
        }
    )
    return _tables(log, ids, topic_of, rng.integers(1960, 2020, n_items), n_users=n_users)


def _tables(
    log: pl.DataFrame, ids: list[str], topic_of: NDArray[np.integer], years: NDArray[np.integer], *, n_users: int
) -> RawTables:
    catalogue = pl.DataFrame(
        {
            ITEM_ID: ids,
            "title": [f"Tale {item} of topic {topic}" for item, topic in enumerate(topic_of)],
            "topic": [[f"topic-{topic}"] for topic in topic_of],
            "year": years.astype(np.float64),
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
