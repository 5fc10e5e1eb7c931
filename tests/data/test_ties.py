"""A tie order moves nothing but a user's events with equal times."""

from collections import Counter
from typing import get_args

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.data.schema import TIME
from recsys.data.ties import Order, choose_order, describe_order, examine_order, sort_events

Row = tuple[str, str, int]
_ROWS = st.lists(st.tuples(st.sampled_from("uvw"), st.sampled_from("abcdef"), st.integers(0, 3)), min_size=1, max_size=40)


def _log(rows: list[Row]) -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema={"user_id": pl.String, "item_id": pl.String, "s": pl.Int64}, orient="row")
    return frame.select("user_id", "item_id", timestamp=(pl.col("s") * 1_000_000).cast(TIME))


def _many_ties(*, n_rows: int, n_times: int, n_users: int = 40) -> list[Row]:
    """Every item once, so that the order can be read off the items."""
    rng = np.random.default_rng(5)
    users, seconds = rng.integers(0, n_users, n_rows), rng.integers(0, n_times, n_rows)
    return [
        (f"u{user:02}", f"i{position}", int(second)) for position, (user, second) in enumerate(zip(users, seconds, strict=True))
    ]


@pytest.mark.parametrize("ties", get_args(Order))
@settings(deadline=None, max_examples=40)
@given(_ROWS, st.integers(0, 9))
def test_each_user_has_the_same_items_at_the_same_times_in_order_of_time(ties: Order, rows: list[Row], seed: int) -> None:
    found = sort_events(_log(rows), ties=ties, seed=seed)
    assert Counter(found.rows()) == Counter(_log(rows).rows())
    keys = found.select("user_id", "timestamp").rows()
    assert keys == sorted(keys)
    assert found.schema == _log(rows).schema


@settings(deadline=None, max_examples=40)
@given(_ROWS)
def test_file_order_is_a_stable_sort(rows: list[Row]) -> None:
    wanted = sorted(rows, key=lambda row: (row[0], row[2]))
    assert sort_events(_log(rows), ties="file", seed=0).equals(_log(wanted))


def test_a_seed_shuffles_the_same_way_each_time_and_another_seed_another_way() -> None:
    log = _log(_many_ties(n_rows=500, n_times=4))
    first, again, other, in_file = (
        sort_events(log, ties=ties, seed=seed)["item_id"].to_list()
        for ties, seed in (("shuffled", 1), ("shuffled", 1), ("shuffled", 2), ("file", 1))
    )
    assert first == again
    assert first not in (other, in_file)


def test_the_shuffled_order_is_the_same_on_every_machine() -> None:
    log = _log([("u", item, 7) for item in "abcdefgh"])
    assert "".join(sort_events(log, ties="shuffled", seed=0)["item_id"]) == "hdceafgb"


def test_every_order_of_three_equal_times_is_drawn_about_as_often() -> None:
    log = _log([(f"u{user}", item, 7) for user in range(6000) for item in "abc"])
    found = sort_events(log, ties="shuffled", seed=0).group_by("user_id", maintain_order=True).agg("item_id")
    orders = Counter("".join(items) for items in found["item_id"].to_list())
    assert len(orders) == 6
    assert all(abs(count - 1000) < 5 * np.sqrt(1000) for count in orders.values())


@pytest.mark.parametrize(("n_rows", "n_times"), [(10, 2), (3000, 1), (5000, 3), (20_000, 400)])
def test_the_unstable_order_is_that_of_pandas_sort_values_and_groupby(n_rows: int, n_times: int) -> None:
    rows = _many_ties(n_rows=n_rows, n_times=n_times)
    frame = pd.DataFrame(rows, columns=["user_id", "movie_id", "unix_timestamp"])
    groups = frame.sort_values(by=["unix_timestamp"]).groupby("user_id")
    wanted = dict(groups.movie_id.apply(list))
    found = sort_events(_log(rows), ties="unstable", seed=0).group_by("user_id", maintain_order=True).agg("item_id")
    assert dict(found.rows()) == wanted


def test_the_unstable_order_is_another_than_that_of_the_file() -> None:
    log = _log(_many_ties(n_rows=5000, n_times=3))
    unstable, in_file = (sort_events(log, ties=ties, seed=0) for ties in ("unstable", "file"))
    assert unstable["item_id"].to_list() != in_file["item_id"].to_list()


def test_a_log_without_ties_has_one_order() -> None:
    rows = [(user, f"i{second}", second) for second in range(30, 0, -1) for user in ("u", "v")]
    orders = [sort_events(_log(rows), ties=ties, seed=0) for ties in get_args(Order)]
    assert all(order.equals(orders[0]) for order in orders)


def test_words_name_the_seed_and_what_an_unstable_order_hangs_on() -> None:
    assert describe_order("file", seed=3) == "as in the file"
    assert describe_order("shuffled", seed=3) == "shuffled, seed 3"
    assert f"numpy {np.__version__}" in describe_order("unstable", seed=3)


def _baskets(*, n_users: int, order: str, seed: int = 0) -> pl.DataFrame:
    """Baskets of five of 60 articles that belong together, two days apart, in some order of their rows; as rows of a file.

    `taken` is an order that people have: article n + 1 mostly after article n of the same shelf, in and between baskets.
    """
    rng = np.random.default_rng(seed)
    shuffled = {f"i{article:02}": int(position) for article, position in enumerate(rng.permutation(60))}
    rows: list[Row] = []
    for user in range(n_users):
        shelf = 10 * int(rng.integers(0, 6))
        articles = [f"i{shelf + int(position):02}" for position in rng.permutation(10)]
        if order == "taken":
            articles = [f"i{shelf + int(position):02}" for position in np.argsort(np.arange(10) + rng.normal(0, 3, 10))]
        for basket in (articles[:5], articles[5:]):
            if order == "by id":
                basket.sort()
            if order == "by another column":
                basket.sort(key=shuffled.__getitem__)
            rows += [(f"u{user:03}", article, len(rows) // 5 * 86_400) for article in basket]
    return _log(rows)


@pytest.mark.parametrize("order", ["by id", "by another column"])
def test_a_sort_inside_baskets_is_found_whatever_it_sorts_by(order: str) -> None:
    alone = _baskets(n_users=300, order="drawn", seed=1).with_columns(pl.concat_str(pl.lit("lone"), "user_id").alias("user_id"))
    found = examine_order(pl.concat([_baskets(n_users=300, order=order), alone.with_columns(timestamp=_apart(alone))]))
    assert found.n_pairs == 300 * 2 * 4
    assert found.is_sorted and not found.is_information
    assert found.fixed == 1.0
    assert choose_order("auto", found) == "sets"


def test_baskets_in_any_order_are_no_sort_and_no_information() -> None:
    found = examine_order(_baskets(n_users=300, order="drawn"))
    assert not found.is_sorted and not found.is_information
    assert found.fixed == pytest.approx(0.5, abs=0.05)
    assert choose_order("auto", found) == "sets"


def test_an_order_that_is_also_there_between_times_is_information() -> None:
    log = _baskets(n_users=400, order="taken")
    coarse = log.with_columns(pl.when(pl.col("user_id") < "u200").then("timestamp").otherwise(_apart(log)).alias("timestamp"))
    found = examine_order(coarse)
    assert found.is_information
    assert choose_order("auto", found) == "file"


def _apart(log: pl.DataFrame) -> pl.Series:
    return (log["timestamp"].to_physical() + pl.Series(range(log.height)) * 1_000_000).cast(TIME)


def test_what_is_asked_for_is_taken_whatever_the_order_shows() -> None:
    found = examine_order(_baskets(n_users=50, order="by id"))
    assert {choose_order(asked, found) for asked in get_args(Order)} == set(get_args(Order))


def test_numbers_are_compared_as_numbers() -> None:
    log = _log([("u", "9", 0), ("u", "10", 0), ("u", "100", 0)])
    assert examine_order(log).ascending == 1.0


def test_a_log_without_ties_has_no_order_to_examine() -> None:
    found = examine_order(_log([("u", "a", 0), ("u", "b", 1), ("v", "a", 1)]))
    assert (found.n_pairs, found.fixed, found.ascending) == (0, None, None)
    assert choose_order("auto", found) == "file"


def test_without_lone_events_a_fixed_order_may_be_a_habit_and_is_called_no_sort() -> None:
    found = examine_order(_baskets(n_users=300, order="by another column"))
    assert found.fixed == 1.0 and found.fixed_apart is None
    assert not found.is_sorted
    assert choose_order("auto", found) == "sets"
