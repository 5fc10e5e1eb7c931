"""The synthetic world holds the structure that it promises."""

import polars as pl
import pytest

from recsys.data.schema import CATEGORIES, INTERACTIONS, RawTables, check_table
from recsys.data.synthetic import build_shop, build_synthetic
from recsys.data.ties import examine_order

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
    number = pl.col("title").str.extract(r"Tale (\d+) of").cast(pl.Int64)
    known = world.items.select("item_id", topic=pl.col("topic").list.first(), number=number)
    log = world.interactions.collect().join(known, on="item_id", maintain_order="left").sort("user_id", "timestamp")
    number = pl.col("number")
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


def test_ids_and_rows_tell_nothing_of_what_follows(world: RawTables) -> None:
    log = world.interactions.collect()
    assert log["timestamp"].is_sorted()
    number = log.sort("user_id", "timestamp").select(step=pl.col("item_id").str.slice(1).cast(pl.Int64).diff().over("user_id"))[
        "step"
    ]
    assert (number == 1).mean() < 0.05


@pytest.fixture(scope="module")
def shop() -> pl.DataFrame:
    return build_shop(n_users=200, n_items=300, n_topics=20, basket_size=4.0, seed=1).interactions.collect()


def test_a_shop_sorts_its_baskets_by_number_and_by_nothing_else(shop: pl.DataFrame) -> None:
    check_table(shop.lazy(), INTERACTIONS, name="interactions")
    bought = shop.filter(pl.col("event") == "buy")
    found = examine_order(bought)
    assert found.ascending == 1.0 and found.is_sorted
    sizes = bought.group_by("user_id", "timestamp").len()["len"]
    assert 3.0 < sizes.mean() < 5.0


def test_a_shop_has_repeats_and_returns_of_what_was_bought(shop: pl.DataFrame) -> None:
    bought, back = (shop.filter(pl.col("event") == event) for event in ("buy", "return"))
    assert 0.15 < 1 - bought.select("user_id", "item_id").n_unique() / bought.height < 0.5
    assert 0.01 < back.height / bought.height < 0.04
    assert back.join(bought, on=["user_id", "item_id"], how="anti").is_empty()
    assert (bought["weight"] == 1).all() and (back["weight"] == -1).all()
