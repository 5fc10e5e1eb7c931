"""A table is held to its schema before anything else reads it."""

import polars as pl
import pytest

from recsys.core.errors import DataError, SchemaError
from recsys.data.schema import (
    CATEGORIES,
    INTERACTIONS,
    TIME,
    RawTables,
    category_columns,
    check_sides,
    check_table,
    number_columns,
    text_columns,
    time_columns,
)


def _log() -> pl.DataFrame:
    return pl.DataFrame({"user_id": ["u"], "item_id": ["a"], "timestamp": [0]}, schema_overrides={"timestamp": TIME})


def test_a_table_with_further_columns_in_another_order_passes() -> None:
    table = _log().with_columns(weight=pl.lit(1.0)).select("weight", "timestamp", "item_id", "user_id")
    check_table(table, INTERACTIONS, name="interactions")
    check_table(table.lazy(), INTERACTIONS, name="interactions")


@pytest.mark.parametrize("column", ["user_id", "item_id", "timestamp"])
def test_a_missing_column_is_named_with_the_columns_there_are(column: str) -> None:
    table = _log().drop(column)
    present = ", ".join(table.columns)
    with pytest.raises(SchemaError, match=f"log: column '{column}' must be present, got {present}; map it"):
        check_table(table, INTERACTIONS, name="log")


def test_a_table_without_columns_says_so() -> None:
    with pytest.raises(SchemaError, match="got no columns"):
        check_table(pl.DataFrame(), INTERACTIONS, name="log")


@pytest.mark.parametrize(
    ("column", "dtype", "came"),
    [
        ("user_id", pl.Int64(), "Int64"),
        ("timestamp", pl.Datetime("us"), "time_zone=None"),
        ("timestamp", pl.Datetime("ms", "UTC"), "time_unit='ms'"),
        ("timestamp", pl.Datetime("us", "Asia/Tokyo"), "Asia/Tokyo"),
    ],
)
def test_another_type_is_refused_with_what_it_must_be_and_what_came(column: str, dtype: pl.DataType, came: str) -> None:
    table = pl.DataFrame(schema={**_log().schema, column: dtype})
    with pytest.raises(SchemaError, match=f"log: column '{column}' must be .*, got .*{came}"):
        check_table(table, INTERACTIONS, name="log")


def test_the_type_of_an_attribute_says_what_it_is_and_keys_are_no_text() -> None:
    schema = {
        "item_id": pl.String(),
        "user_id": pl.String(),
        "title": pl.String(),
        "genre": CATEGORIES,
        "year": pl.Float64(),
        "shelf": pl.Int64(),
        "until": TIME,
    }
    table = pl.DataFrame(schema=schema)
    assert text_columns(table) == ["title"]
    assert category_columns(table) == ["genre"]
    assert number_columns(table) == ["year"]
    assert time_columns(table) == ["until"]


@pytest.mark.parametrize("side", ["items", "users"])
def test_a_table_of_which_no_id_is_in_the_log_is_refused(side: str) -> None:
    key, known = {"items": ("item_id", "a"), "users": ("user_id", "u")}[side]
    check_sides(_log(), RawTables(interactions=_log().lazy(), **{side: pl.DataFrame({key: ["other", known]})}))
    with pytest.raises(DataError, match=f"some {key} must be in the log too, got none of 1; the table has '0{known}', the log"):
        check_sides(_log(), RawTables(interactions=_log().lazy(), **{side: pl.DataFrame({key: [f"0{known}"]})}))
