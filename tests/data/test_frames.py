"""Frames of any kind come out as the tables of a source, and a wrong one is told in words of whoever called."""

from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest

from recsys.core.errors import ConfigError, DataError, RecsysError, SchemaError
from recsys.data.frames import as_polars, check_names, ids_of, read_tables

LOG = pl.DataFrame({"who": ["u", "u", "v"], "what": [1, 2, 1], "when": [1_600_000_000, 1_600_000_001, 1_600_000_002]})
NAMES = {"user_id": "who", "item_id": "what", "timestamp": "when"}


def _read(log=LOG, *, items=None, users=None, columns=NAMES, **named):
    given = {"item_attributes": None, "user_attributes": None} | named
    return read_tables(as_polars(log, name="log"), items=items, users=users, columns=columns, **given)


def test_polars_and_pandas_come_to_the_same_table() -> None:
    tables = [_read(frame)[0].interactions.collect() for frame in (LOG, LOG.lazy(), LOG.to_pandas())]
    assert tables[0].equals(tables[1]) and tables[0].equals(tables[2])
    assert tables[0]["item_id"].to_list() == ["1", "2", "1"]
    assert tables[0]["timestamp"][0] == datetime(2020, 9, 13, 12, 26, 40, tzinfo=UTC)


def test_without_times_the_order_of_the_rows_is_the_order_of_events() -> None:
    tables, has_time = _read(LOG.drop("when"), columns={"user_id": "who", "item_id": "what"})
    assert not has_time
    assert tables.interactions.collect()["timestamp"].is_sorted()


def test_a_zone_of_pandas_is_kept() -> None:
    log = LOG.to_pandas().assign(when=pd.to_datetime(LOG["when"].to_numpy(), unit="s").tz_localize("Asia/Tokyo"))
    assert _read(log)[0].interactions.collect()["timestamp"][0] == datetime(2020, 9, 13, 3, 26, 40, tzinfo=UTC)


@pytest.mark.parametrize("key", ["what", "item_id"])
def test_items_may_have_their_name_or_ours_for_the_id(key: str) -> None:
    tables, _ = _read(items=pd.DataFrame({key: [1, 2], "title": ["tea", "pot"]}))
    assert tables.items is not None and tables.items.select("item_id", "title").rows() == [("1", "tea"), ("2", "pot")]


def test_ids_are_text_as_the_log_has_them() -> None:
    assert (
        ids_of([7, 8], "user_id")
        == ids_of(np.array([7, 8], np.float32), "user_id")
        == ids_of([7.0, 8.0], "user_id")
        == ["7", "8"]
    )
    assert (ids_of(["007"], "user_id"), ids_of([7.5], "user_id"), ids_of([], "user_id")) == (["007"], ["7.5"], [])
    assert ids_of(pd.DataFrame({"user_id": [1.0, 2.0]}), "user_id") == ["1", "2"]


@pytest.mark.parametrize(
    ("log", "error", "sentence"),
    [
        (LOG.clear(), DataError, "at least one event must be there, got no row"),
        (LOG.drop("what"), SchemaError, "column 'what' must be present, got who, when"),
        (LOG.drop("when"), SchemaError, "column 'when' must be present"),
        (
            LOG.with_columns(who=pl.lit(None, pl.String)),
            DataError,
            "'who' must have a value .* got none in 3 of 3",
        ),
        (LOG.with_columns(when=pl.Series([1.6e9, None, float("nan")])), DataError, "'when' must have .* got none in 2 of 3"),
        (LOG.with_columns(when=pl.lit("soon")), SchemaError, "column 'when' must hold times, got 'soon'"),
        (LOG.with_columns(when=pl.lit("03/04/2026")), SchemaError, "day first or month first"),
        (LOG.to_numpy(), SchemaError, "must be a polars or pandas frame, got ndarray"),
        ("log.csv", SchemaError, "must be a polars or pandas frame, got str"),
        (pd.DataFrame([["u", 1, 1]], columns=["who", "what", "what"]), SchemaError, "got 'what' twice"),
    ],
)
def test_a_wrong_log_is_told_in_one_sentence(log: object, error: type[RecsysError], sentence: str) -> None:
    with pytest.raises(error, match=sentence):
        _read(log)


@pytest.mark.parametrize(("columns", "sentence"), [(["who"], "must map our names to yours"), ({"who": "user_id"}, "got 'who'")])
def test_a_wrong_map_of_names_is_told(columns: object, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        check_names(columns)


@pytest.mark.parametrize("given", ["u", 5, b"u"])
def test_one_id_is_no_list(given: object) -> None:
    with pytest.raises(ConfigError, match="a list of ids must be given"):
        ids_of(given, "user_id")


@pytest.mark.parametrize("given", [["u", None], [1.0, float("nan")], pd.Series([1, None])])
def test_a_missing_id_is_no_text(given: object) -> None:
    with pytest.raises(DataError, match="each id must have a value, got none in 1 of 2"):
        ids_of(given, "user_id")


def test_a_side_table_keeps_columns_that_the_log_has_under_other_names() -> None:
    items = pl.DataFrame({"item_id": [1, 2], "when": [5.0, 6.0], "title": ["tea", "pot"]})
    tables, _ = _read(items=items)
    assert tables.items is not None and tables.items["when"].to_list() == [5.0, 6.0]


def test_each_column_of_categories_is_cut_by_its_own_separator() -> None:
    items = pl.DataFrame({"what": [1, 2], "genres": ["Action|Comedy", "Action"], "tags": ["new, sale", "sale"]})
    users = pl.DataFrame({"who": ["u", "v"], "groups": ["a;b", "a"]})
    tables, _ = _read(items=items, users=users)
    assert tables.items is not None and tables.users is not None
    assert tables.items.select("genres", "tags").row(0) == (["Action", "Comedy"], ["new", "sale"])
    assert tables.users["groups"].to_list() == [["a", "b"], ["a"]]


def test_attributes_that_are_none_are_left_alone() -> None:
    items = pl.DataFrame({"what": [1, 2], "vector": [[0.1], [0.2]], "n": ["1"] * 2}).with_columns(
        length=pl.Series([1, 2]).cast(pl.Duration("us"))
    )
    tables, _ = _read(items=pl.concat([items] * 6_000 + [items.with_columns(n=pl.lit("n/a"))]).unique())
    assert tables.items is not None and not {"vector", "length"} & set(tables.items.columns)


def test_days_as_whole_numbers_are_days() -> None:
    tables, _ = _read(LOG.with_columns(when=pl.Series([20240131, 20240201, 20240201])))
    assert tables.interactions.collect()["timestamp"][:2].dt.date().to_list() == [date(2024, 1, 31), date(2024, 2, 1)]
