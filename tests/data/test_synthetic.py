"""The synthetic world holds the structure that it promises."""

import polars as pl
import pytest

from recsys.data.schema import CATEGORIES, INTERACTIONS, RawTables, check_table
from recsys.data.synthetic import build_synthetic

_N_TOPICS = 8


@pytest.fixture(scope="module")
def world() -> RawTables:
    return build_synthetic(n_users=120, n_items=240, n_topics=_N_TOPICS, seed=3)


def test_the_tables_are_what_the_pipeline_reads(world: RawTables) -> None:
    check_table(world.interactions, INTERACTIONS, name="interactions")
    assert world.items is not None
    assert world.users is not None
    assert world.items.schema == {"item_id": pl.String, "title": pl.String, "topic": CATEGORIES, "year": pl.Float64}
    assert world.users.schema == {"user_id": pl.String, "group": CATEGORIES}
    assert (world.items.height, world.users.height, world.has_time) == (240, 120, True)


def test_each_user_has_8_to_40_distinct_items_in_rising_time(world: RawTables) -> None:
    log = world.interactions.collect()
    by_user = log.group_by("user_id").agg(
        pl.len().alias("n"),
        pl.col("item_id").n_unique().alias("distinct"),
        (pl.col("timestamp").diff().dt.total_seconds() > 0).all().alias("rises"),
    )
    assert by_user.height == 120
    assert by_user["n"].is_between(8, 40).all()
    assert (by_user["n"] == by_user["distinct"]).all()
    assert by_user["rises"].all()


def test_every_item_and_user_of_the_log_is_in_its_table(world: RawTables) -> None:
    log = world.interactions.collect()
    assert set(log["item_id"]) <= set(world.items["item_id"])
    assert set(log["user_id"]) == set(world.users["user_id"])


def test_the_same_seed_gives_the_same_world_and_another_seed_another() -> None:
    first, again, other = (build_synthetic(n_users=5, n_items=40, n_topics=4, seed=seed) for seed in (1, 1, 2))
    assert first.interactions.collect().equals(again.interactions.collect())
    assert first.items.equals(again.items)
    assert not first.interactions.collect().equals(other.interactions.collect())


def test_the_next_item_is_mostly_of_the_same_topic_and_often_the_successor(world: RawTables) -> None:
    topics = world.items.select("item_id", topic=pl.col("topic").list.first())
    log = world.interactions.collect().join(topics, on="item_id", maintain_order="left")
    number = pl.col("item_id").str.slice(1).cast(pl.Int64)
    steps = log.select(
        same=(pl.col("topic") == pl.col("topic").shift().over("user_id")),
        step=(number - number.shift().over("user_id")),
    ).drop_nulls()
    assert steps["same"].mean() > 0.8
    assert (steps["step"] == 1).mean() > 0.5


def test_some_items_are_more_popular_than_chance(world: RawTables) -> None:
    counts = world.interactions.collect()["item_id"].value_counts()["count"]
    assert counts.var() > 2 * counts.mean()


@pytest.mark.parametrize("seed", range(8))
def test_as_many_topics_as_items_are_allowed(seed: int) -> None:
    world = build_synthetic(n_users=2, n_items=2, n_topics=2, seed=seed)
    assert set(world.interactions.collect()["user_id"]) == {"u00000", "u00001"}
