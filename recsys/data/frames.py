"""Frames that people bring, polars or pandas, under our names: checked first, with advice for whoever called."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from recsys.core.columns import EVENT, ITEM_ID, TIMESTAMP, USER_ID, WEIGHT
from recsys.core.errors import ConfigError, DataError, SchemaError
from recsys.data.files import AttributeColumns, as_categories, as_id, read_frames
from recsys.data.guesses import guess_attributes, guess_time
from recsys.data.schema import RawTables

_OURS = (USER_ID, ITEM_ID, TIMESTAMP, WEIGHT, EVENT)
_SAMPLE = 10_000


def as_polars(frame: Any, *, name: str) -> pl.DataFrame:
    """A polars frame of the same columns; times of pandas with a zone become UTC.

    Args:
        frame: A polars frame, lazy or not, or a pandas frame.
        name: What it is called in messages.

    Raises:
        SchemaError: It is none of these, or has two columns of one name.
    """
    if isinstance(frame, pl.LazyFrame):
        return frame.collect()
    if isinstance(frame, pl.DataFrame):
        return frame
    if type(frame).__module__.partition(".")[0] != "pandas" or not hasattr(frame, "columns"):
        raise SchemaError(f"{name}: it must be a polars or pandas frame, got {type(frame).__name__}; make a frame of it")
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise SchemaError(f"{name}: columns must have names of their own, got '{twice[0]}' twice; drop one")
    import pyarrow as pa

    zoned = [column for column in frame.columns if type(frame[column].dtype).__name__ == "DatetimeTZDtype"]
    plain = frame.assign(**{column: frame[column].dt.tz_convert(None) for column in zoned})
    return pl.DataFrame(pa.Table.from_pandas(plain, preserve_index=False))


def ids_of(given: Any, column: str) -> list[str]:
    """Ids as text, from a list, a series or a frame with the column.

    >>> ids_of([7.0, 8.0], "user_id"), ids_of(["007"], "user_id")
    (['7', '8'], ['007'])

    Args:
        given: The ids.
        column: Of a frame; also what they are called in messages.

    Raises:
        ConfigError: It is one id, and not several.
        SchemaError: A frame has no such column.
        DataError: An id is missing.
    """
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        raise ConfigError(f"{column}: a list of ids must be given, got {given!r}; put it in a list")
    if hasattr(given, "columns"):
        given = as_polars(given, name=column)
        check_columns(given, {}, (column,), name="the frame")
        given = given[column]
    values = pl.Series(column, given if isinstance(given, pl.Series) else list(given), strict=False)
    if values.dtype == pl.Null():
        values = values.cast(pl.String)
    read = values.to_frame().select(as_id(column, values.dtype))[column]
    if read.null_count():
        raise DataError(f"{column}: each id must have a value, got none in {read.null_count():,} of {len(read):,}; drop those")
    return read.to_list()


def check_names(columns: Mapping[str, str] | None) -> dict[str, str]:
    """What maps our column names to theirs.

    Raises:
        ConfigError: It is no mapping, or a name is none of ours.
    """
    if columns is not None and not isinstance(columns, Mapping):
        raise ConfigError(f'columns must map our names to yours, such as {{"{USER_ID}": "customer"}}, got {columns!r}')
    for ours in columns or {}:
        if ours not in _OURS:
            raise ConfigError(f"columns must map {', '.join(_OURS)} to your names, got '{ours}'; ours stands first")
    return dict(columns or {})


def check_columns(frame: pl.DataFrame, names: Mapping[str, str], wanted: Sequence[str], *, name: str) -> None:
    """Refuse a frame that lacks a column.

    Args:
        frame: Theirs.
        names: Our column names to theirs.
        wanted: Our names of those that must be there.
        name: What the frame is called in messages.

    Raises:
        SchemaError: One is not there.
    """
    for ours in wanted:
        theirs = names.get(ours, ours)
        if theirs not in frame.columns:
            raise SchemaError(
                f"{name}: column '{theirs}' must be present, got {', '.join(frame.columns) or 'none'}; map it with "
                f'columns={{"{ours}": "its name"}}'
            )


def read_tables(
    log: pl.DataFrame,
    *,
    items: Any,
    users: Any,
    columns: Mapping[str, str],
    item_attributes: AttributeColumns | None,
    user_attributes: AttributeColumns | None,
) -> tuple[RawTables, bool]:
    """Frames as the tables of a source. What is not said of times and attributes is guessed.

    Args:
        log: One row an event.
        items: A frame of items, or None.
        users: A frame of users, or None.
        columns: Our column names to theirs; a side table may have our name for its id.
        item_attributes: Which columns of items hold what; guessed if left out.
        user_attributes: Likewise of users.

    Returns:
        The tables, and whether times are known: without them, the order of the rows is the order of events.

    Raises:
        SchemaError: A column is missing, or cannot be read as what it must be.
        DataError: There is no event, or an id or a time is missing.
    """
    names = dict(columns)
    check_columns(log, names, (USER_ID, ITEM_ID, *((TIMESTAMP,) if TIMESTAMP in names else ())), name="log")
    time = names.get(TIMESTAMP, TIMESTAMP)
    has_time = time in log.columns
    if not has_time:
        log = log.with_columns(pl.int_range(pl.len(), dtype=pl.Int64).alias(TIMESTAMP))
    _check_rows(log, [names.get(ours, ours) for ours in (USER_ID, ITEM_ID, TIMESTAMP)])
    unit, text_format = _time_of(log[time], time) if has_time else ("s", None)
    sides = {
        key: None if frame is None else _side(as_polars(frame, name=name), key, names, name)
        for name, key, frame in (("items", ITEM_ID, items), ("users", USER_ID, users))
    }
    if (side := sides[ITEM_ID]) is not None and item_attributes is None:
        item_attributes, separators = guess_attributes(side, names.get(ITEM_ID, ITEM_ID))
        sides[ITEM_ID] = _cut(side, separators)
    if (side := sides[USER_ID]) is not None and user_attributes is None:
        guessed, separators = guess_attributes(side, names.get(USER_ID, USER_ID))
        user_attributes = AttributeColumns(categories=guessed.categories, numbers=guessed.numbers)
        sides[USER_ID] = _cut(side, separators)
    tables = read_frames(
        log.lazy(),
        items=None if (side := sides[ITEM_ID]) is None else side.lazy(),
        users=None if (side := sides[USER_ID]) is None else side.lazy(),
        columns=names,
        item_attributes=item_attributes,
        user_attributes=user_attributes,
        timestamp_unit=unit,
        timestamp_format=text_format,
    )
    return tables, has_time


def _cut(table: pl.DataFrame, separators: Mapping[str, str]) -> pl.DataFrame:
    """Cells of several categories as lists, each column by what separates its own."""
    return table.with_columns(as_categories(name, table.schema[name], between) for name, between in separators.items())


def _check_rows(log: pl.DataFrame, columns: Sequence[str]) -> None:
    if log.is_empty():
        raise DataError("log: at least one event must be there, got no row")
    missing = {
        column: log[column].fill_nan(None).null_count() if log.schema[column].is_float() else log[column].null_count()
        for column in columns
    }
    for column, count in missing.items():
        if count:
            raise DataError(
                f"log: column '{column}' must have a value in each row, got none in {count:,} of {log.height:,}; drop those "
                "rows first"
            )


def _time_of(values: pl.Series, name: str) -> tuple[Any, str | None]:
    """Unit and format of a column of times."""
    guess = guess_time(values.head(_SAMPLE))
    if guess is not None and guess.is_ambiguous:
        guess = guess_time(values.unique())
    if guess is None:
        raise SchemaError(f"log: column '{name}' must hold times, got {values[0]!r}; convert it first")
    if guess.is_ambiguous:
        raise SchemaError(
            f"log: column '{name}' must hold dates that can be read in one way, got such as '{values[0]}', day first or month "
            "first; convert it to times first"
        )
    return guess.unit, guess.text_format


def _side(frame: pl.DataFrame, key: str, names: Mapping[str, str], name: str) -> pl.DataFrame:
    """A side table whose id has the name that it has in the log."""
    theirs = names.get(key, key)
    if theirs not in frame.columns and key in frame.columns:
        frame = frame.rename({key: theirs})
    check_columns(frame, names, (key,), name=name)
    return frame
