"""The user's own data: a log, and items and users if there are any, under the names of the house."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from recsys.core.columns import EVENT, ITEM_ID, TIMESTAMP, USER_ID, WEIGHT
from recsys.core.errors import SchemaError
from recsys.core.files import sha256_of
from recsys.data.scan import TextFormat, collect_source, local_files, scan_table
from recsys.data.schema import RawTables
from recsys.data.timestamps import parse_timestamp

_OF_THE_LOG = frozenset({USER_ID, ITEM_ID, TIMESTAMP, WEIGHT, EVENT})


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeColumns:
    """Which columns of an items or users table to keep, and as what."""

    text: Sequence[str] = ()
    categories: Sequence[str] = ()
    numbers: Sequence[str] = ()
    times: Sequence[str] = ()


def read_own_files(
    *,
    interactions: str,
    items: str | None = None,
    users: str | None = None,
    columns: Mapping[str, str] | None = None,
    text_format: TextFormat | None = None,
    item_format: TextFormat | None = None,
    user_format: TextFormat | None = None,
    item_attributes: AttributeColumns | None = None,
    user_attributes: AttributeColumns | None = None,
    category_separator: str = "|",
    timestamp_unit: str = "s",
    timestamp_format: str | None = None,
) -> RawTables:
    """Read a user's own interactions, and items and users if there are any.

    Args:
        interactions: Where the log is.
        items: Where the catalogue is.
        users: Where the user attributes are.
        columns: Our name to the file's name, such as `{"user_id": "customer_id"}`; it holds for all three tables.
        text_format: How the log is cut, if it is text.
        item_format: How the items file is cut; like the log if None.
        user_format: How the users file is cut; like the log if None.
        item_attributes: The attributes of items to keep.
        user_attributes: The attributes of users to keep.
        category_separator: What stands between the categories in one cell of text.
        timestamp_unit: `s`, `ms` or `us`, for integers.
        timestamp_format: A strftime format, for text.

    Raises:
        SourceError: A file is missing or cannot be read.
        SchemaError: A column is missing or cannot be what it must be, or a number is none.
    """
    log_format = text_format or TextFormat()
    tables = read_frames(
        scan_table(interactions, log_format, name="interactions"),
        items=None if items is None else scan_table(items, item_format or log_format, name="items"),
        users=None if users is None else scan_table(users, user_format or log_format, name="users"),
        columns=columns,
        item_attributes=item_attributes,
        user_attributes=user_attributes,
        category_separator=category_separator,
        timestamp_unit=timestamp_unit,
        timestamp_format=timestamp_format,
    )
    local = [path for path in (interactions, items, users) if path is not None and "://" not in path]
    hashes = {str(file): sha256_of(file) for path in local for file in local_files(path, name="files")}
    return replace(tables, files=hashes)


def read_frames(
    log: pl.LazyFrame,
    *,
    items: pl.LazyFrame | None = None,
    users: pl.LazyFrame | None = None,
    columns: Mapping[str, str] | None = None,
    item_attributes: AttributeColumns | None = None,
    user_attributes: AttributeColumns | None = None,
    category_separator: str = "|",
    timestamp_unit: str = "s",
    timestamp_format: str | None = None,
) -> RawTables:
    """The same from frames that are open already.

    Args:
        log: The log.
        items: The catalogue.
        users: The user attributes.
        columns: Our name to the frames' name; those of ids and attributes hold for items and users too.
        item_attributes: The attributes of items to keep.
        user_attributes: The attributes of users to keep.
        category_separator: What stands between the categories in one cell of text.
        timestamp_unit: `s`, `ms` or `us`, for integers.
        timestamp_format: A strftime format, for text.

    Raises:
        SchemaError: A column is missing or cannot be what it must be, or a number is none.
    """
    names = dict(columns or {})
    log = _rename(log, names, (USER_ID, ITEM_ID, TIMESTAMP), "interactions")
    schema = log.collect_schema()
    kept = [as_id(USER_ID, schema[USER_ID]), as_id(ITEM_ID, schema[ITEM_ID])]
    kept.append(parse_timestamp(TIMESTAMP, schema[TIMESTAMP], unit=timestamp_unit, time_format=timestamp_format))
    kept.append(pl.col(TIMESTAMP).cast(pl.String, strict=False).alias("timestamp_as_read"))
    kept += [pl.col(WEIGHT).cast(pl.Float64, strict=False)] if WEIGHT in schema else []
    kept += [pl.col(EVENT).cast(pl.String)] if EVENT in schema else []
    tables: dict[str, pl.DataFrame | None] = {"items": None, "users": None}
    for name, frame, key, attributes in (
        ("items", items, ITEM_ID, item_attributes),
        ("users", users, USER_ID, user_attributes),
    ):
        if frame is not None:
            of_side = {ours: theirs for ours, theirs in names.items() if ours == key or ours not in _OF_THE_LOG}
            side = _rename(frame, of_side, (key,), name)
            kinds = attributes or AttributeColumns()
            schema = side.collect_schema()
            times = {
                column: parse_timestamp(column, schema[column], unit=timestamp_unit, time_format=timestamp_format)
                for column in kinds.times
                if column in schema
            }
            tables[name] = _read_attributes(side, key, kinds, times, category_separator, name)
    return RawTables(interactions=log.select(kept), items=tables["items"], users=tables["users"])


def _rename(frame: pl.LazyFrame, columns: Mapping[str, str], needed: Sequence[str], name: str) -> pl.LazyFrame:
    present = frame.collect_schema().names()
    for column in needed:
        wanted = columns.get(column, column)
        if wanted not in present:
            raise SchemaError(
                f"{name}: column '{wanted}' must be present, got {', '.join(present)}; "
                f'map it with [ingest] columns = {{ {column} = "its name" }}'
            )
    theirs = {name: columns.get(name, name) for name in (*needed, *columns)}
    found = {name: column for name, column in theirs.items() if column in present}
    others = [column for column in present if column not in found and column not in found.values()]
    return frame.select(*(pl.col(column).alias(name) for name, column in found.items()), *others)


def _read_attributes(
    frame: pl.LazyFrame,
    key: str,
    attributes: AttributeColumns,
    times: Mapping[str, pl.Expr],
    category_separator: str,
    name: str,
) -> pl.DataFrame:
    schema = frame.collect_schema()
    wanted = (*attributes.text, *attributes.categories, *attributes.numbers, *attributes.times)
    for column in wanted:
        if (key, *wanted).count(column) > 1:
            raise SchemaError(f"{name}: column '{column}' must be asked for once, got it twice or as the id; correct [ingest]")
        if column not in schema:
            raise SchemaError(f"{name}: column '{column}' must be present, got {', '.join(schema.names())}; correct [ingest]")
    kept = [as_id(key, schema[key])]
    kept += [pl.col(column).cast(pl.String) for column in attributes.text]
    kept += [as_categories(column, schema[column], category_separator) for column in attributes.categories]
    kept += [pl.col(column).cast(pl.Float64, strict=False).fill_nan(None) for column in attributes.numbers]
    kept += times.values()
    for column in attributes.numbers:
        _refuse_unread(
            frame, column, pl.col(column).cast(pl.Float64, strict=False), "numbers", "take the column as categories", name
        )
    for column, time in times.items():
        _refuse_unread(frame, column, time, "times", "name their format in [ingest] timestamp_format", name)
    return collect_source(frame.select(kept), name=name).drop_nulls(key).unique(key, keep="first", maintain_order=True)


def _refuse_unread(frame: pl.LazyFrame, column: str, read: pl.Expr, kind: str, remedy: str, name: str) -> None:
    """What cannot be read would silently be missing: a number the mean, a time no limit."""
    value = pl.col(column)
    unread = collect_source(frame.select(value.filter(value.is_not_null() & read.is_null())), name=name)
    if not unread.is_empty():
        raise SchemaError(
            f"{name}: column '{column}' must hold {kind}, got {unread.item(0, 0)!r} ({unread.height} such rows); "
            f"mend the file or {remedy}"
        )


def as_id(column: str, dtype: pl.DataType) -> pl.Expr:
    """An expression that turns ids into text; whole numbers that a missing value turned into floats lose their point again.

    Args:
        column: The column's name.
        dtype: Its type.

    Raises:
        SchemaError: The type can hold no ids, such as a list.
    """
    if dtype.is_nested() or dtype.base_type() in (pl.Binary, pl.Object):
        raise SchemaError(f"column '{column}' must hold one id a row, as text or a number, got {dtype}; give a row for each")
    value = pl.col(column)
    if not dtype.is_float():
        return value.cast(pl.String)
    number = value.fill_nan(None)
    whole = number.cast(pl.Int64, strict=False)
    return pl.when(number == whole.cast(dtype)).then(whole.cast(pl.String)).otherwise(number.cast(pl.String)).alias(column)


def as_categories(column: str, dtype: pl.DataType, separator: str) -> pl.Expr:
    """An expression that turns lists, or text with separators, into lists of text without blanks; null is an empty list.

    Raises:
        SchemaError: The type can hold no categories, such as a struct.
    """
    if dtype.base_type() in (pl.Struct, pl.Binary, pl.Object):
        raise SchemaError(f"column '{column}' must hold text or lists of text, got {dtype}; give its fields as columns")
    if isinstance(dtype, pl.List):
        return pl.col(column).cast(pl.List(pl.String)).fill_null([])
    cells = pl.col(column).cast(pl.String).str.split(separator).list.eval(pl.element().str.strip_chars())
    return cells.list.eval(pl.element().filter(pl.element().str.len_chars() > 0)).fill_null([])
