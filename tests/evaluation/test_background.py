import numpy as np
import polars as pl
import pytest

from recsys.evaluation.background import build_background, choose_kind

CATALOGUE = pl.DataFrame({"item_id": ["a", "b", "c"], "count": [8, 4, 2]})
EVENTS = pl.DataFrame({"user_id": ["ann", "ann", "ann", "bob"], "item_id": ["b", "b", "c", "new"]})
ITEMS = pl.DataFrame(
    {
        "item_id": ["a", "b", "c", "new"],
        "brand": [["x"], None, ["y"], ["z"]],
        "genre": [["drama"], ["drama", "war"], ["war"], []],
        "price": [1.0, 2.0, 3.0, 4.0],
    }
)


def test_lists_are_held_against_what_a_user_took_once_each():
    found = build_background(EVENTS, CATALOGUE, ITEMS)
    metrics = found.of_users(pl.Series(["ann", "bob"])).metrics(
        np.array([[0, 1], [0, -1]], np.int32), np.array([8, 4, 2]), ks=[1, 2]
    )
    assert metrics["popularity_lift"].tolist() == [[pytest.approx(8 / 3 - 1), pytest.approx(1.0)], [0, 0]]
    assert found.kind == "genre" and found.kinds.tolist() == [[0, -1], [0, 1], [1, -1]]
    assert metrics["intra_list_distance"][0].tolist() == [0, pytest.approx(1 - 1 / np.sqrt(2))]
    assert metrics["miscalibration"][0, 0] > metrics["miscalibration"][0, 1] > 0


def test_where_nothing_is_known_of_items_only_popularity_is_told():
    found = build_background(EVENTS, CATALOGUE, None)
    metrics = found.of_users(pl.Series(["ann"])).metrics(np.array([[0]], np.int32), np.array([8, 4, 2]), ks=[1])
    assert list(metrics) == ["popularity_lift"] and found.kinds is None
    assert choose_kind(ITEMS.select("item_id", "price")) is None
    assert choose_kind(pl.DataFrame({"item_id": ["a", "b"], "shop": [["one"], ["one"]]})) is None, "one value tells nothing"


@pytest.mark.parametrize("name", ["kind", "count", "item_idx", "row"])
def test_a_column_may_have_any_name(name):
    items = ITEMS.select("item_id", pl.col("genre").alias(name))
    assert build_background(EVENTS, CATALOGUE, items).kinds.tolist() == [[0, -1], [0, 1], [1, -1]]


def test_rare_kinds_count_for_nothing_and_where_most_are_rare_there_is_no_kind():
    ids = [f"i{number:04d}" for number in range(600)]
    catalogue = pl.DataFrame({"item_id": ids, "count": [1] * 600})
    shelves = pl.DataFrame(
        {"item_id": ids, "shelf": [[f"s{number if number < 250 else number % 10}"] for number in range(600)]}
    )
    kinds = build_background(EVENTS, catalogue, shelves).kinds
    assert len(np.unique(kinds)) == 201 and (kinds == -1).sum() == 50
    assert kinds.tolist() == build_background(EVENTS, catalogue, shelves.sample(fraction=1, shuffle=True)).kinds.tolist()
    brands = shelves.with_columns(shelf=pl.col("item_id").reshape((-1, 1)).cast(pl.List(pl.String)))
    assert choose_kind(brands) is None
    both = shelves.with_columns(brand=pl.when(pl.col("item_id") < "i0590").then(brands["shelf"]))
    assert choose_kind(both) == "shelf"
