"""What each table looks like, and the one check that holds it to that.

In items and users the type of a column says what it is: String is text, List(String) categories, Float64 a number,
Datetime a time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from recsys.core.columns import ITEM_ID, RANK, SCORE, TIMESTAMP, USER_ID
from recsys.core.errors import DataError, SchemaError

TIME = pl.Datetime("us", "UTC")
CATEGORIES = pl.List(pl.String())

INTERACTIONS: Mapping[str, pl.DataType] = {USER_ID: pl.String(), ITEM_ID: pl.String(), TIMESTAMP: TIME}
CANDIDATES: Mapping[str, pl.DataType] = {
    USER_ID: pl.String(),
    ITEM_ID: pl.String(),
    RANK: pl.Int32(),
    SCORE: pl.Float32(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RawTables:
    """What a source yields before cleaning.

    Attributes:
        interactions: One row an event, in the order of the file: user_id, item_id, timestamp, and what else there was.
        items: One row an item: item_id and its attributes; None if the source has none.
        users: One row a user: user_id and its attributes; None if the source has none.
        has_time: False if the order of rows is all that is known of time.
        files: SHA-256 of every local file that was read, by its path.
        licence: The terms under which the data came, in one sentence; empty for a user's own data.
    """

    interactions: pl.LazyFrame
    items: pl.DataFrame | None = None
    users: pl.DataFrame | None = None
    has_time: bool = True
    files: Mapping[str, str] = field(default_factory=dict)
    licence: str = ""


def check_table(frame: pl.DataFrame | pl.LazyFrame, schema: Mapping[str, pl.DataType], *, name: str) -> None:
    """Hold a table to a schema: every column is there with its type; further columns are fine.

    Args:
        frame: The table.
        schema: Column name to type.
        name: What the table is called in messages.

    Raises:
        SchemaError: A column is missing or has another type.
    """
    actual = frame.collect_schema()
    for column, dtype in schema.items():
        if column not in actual:
            raise SchemaError(
                f"{name}: column '{column}' must be present, got {', '.join(actual.names()) or 'no columns'}; "
                f'map it with columns = {{ {column} = "its name" }}'
            )
        if actual[column] != dtype:
            raise SchemaError(
                f"{name}: column '{column}' must be {dtype}, got {actual[column]}; run the stage that writes it again"
            )


def text_columns(frame: pl.DataFrame) -> list[str]:
    """Attribute columns that hold text."""
    return [name for name, dtype in frame.schema.items() if dtype == pl.String() and name not in (ITEM_ID, USER_ID)]


def category_columns(frame: pl.DataFrame) -> list[str]:
    """Attribute columns that hold lists of categories."""
    return [name for name, dtype in frame.schema.items() if dtype == CATEGORIES]


def number_columns(frame: pl.DataFrame) -> list[str]:
    """Attribute columns that hold numbers."""
    return [name for name, dtype in frame.schema.items() if dtype == pl.Float64()]


def time_columns(frame: pl.DataFrame) -> list[str]:
    """Attribute columns that hold times."""
    return [name for name, dtype in frame.schema.items() if dtype == TIME]


def check_sides(log: pl.DataFrame, tables: RawTables) -> None:
    """Refuse attributes of other things than those of the log: their ids would silently fit nothing.

    Args:
        log: The cleaned interactions.
        tables: Items and users of the same source.

    Raises:
        DataError: No id of the items or of the users is in the log.
    """
    for name, table, key in (("items", tables.items, ITEM_ID), ("users", tables.users, USER_ID)):
        if table is not None and table.height and log.height and log.join(table, on=key, how="semi").is_empty():
            raise DataError(
                f"{name}: some {key} must be in the log too, got none of {table.height:,}; the table has '{table[key][0]}', "
                f"the log '{log[key][0]}'; correct the id columns, or leave the table out"
            )
