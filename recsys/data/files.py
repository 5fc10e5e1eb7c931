"""The user's own data: CSV or Parquet, a file, a glob or a cloud address, read lazily."""

import csv
import glob
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from recsys.core.columns import EVENT, ITEM_ID, TIMESTAMP, USER_ID, WEIGHT
from recsys.core.errors import SchemaError, SourceError
from recsys.core.files import sha256_of
from recsys.data.schema import RawTables
from recsys.data.timestamps import parse_timestamp

_NO_SEPARATOR = "\x01"


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFormat:
    """How rows of a text file are cut.

    Attributes:
        separator: One or more characters, such as `,` or `::`; None takes a tab for `.tsv` and a comma otherwise.
        header: The names of the columns, for files whose first row is data.
    """

    separator: str | None = None
    header: Sequence[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeColumns:
    """Which columns of an items or users table to keep, and as what."""

    text: Sequence[str] = ()
    categories: Sequence[str] = ()
    numbers: Sequence[str] = ()


def scan_table(location: str, text_format: TextFormat, *, name: str) -> pl.LazyFrame:
    """Open a CSV or Parquet table without reading it. Text files keep every column as String: an id may start with 0.

    Args:
        location: A file, a glob, or an address that polars reads, such as `s3://…`.
        text_format: How a text file is cut.
        name: What the table is called in messages.

    Raises:
        SourceError: No such file, or an empty or unreadable one.
    """
    paths: str | list[str] = location if "://" in location else [str(path) for path in local_files(location, name=name)]
    is_parquet = any(str(path).endswith((".parquet", ".pq")) for path in ([paths] if isinstance(paths, str) else paths))
    try:
        frame = _scan_parquet(paths) if is_parquet else _scan_text(paths, location, text_format, name)
        frame.collect_schema()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise SourceError(f"{name}: {location} must be a readable table, got: {_first_line(error)}") from None
    return frame


def collect_source(frame: pl.LazyFrame, *, name: str) -> pl.DataFrame:
    """Read a table that comes from outside.

    Raises:
        SourceError: A row cannot be cut, or the file breaks off.
    """
    try:
        return frame.collect()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise SourceError(f"{name}: every row must be readable, got: {_first_line(error)}; mend the file") from None


def find_files(location: str) -> list[Path]:
    """The files a path or glob stands for, sorted; none if there are none."""
    path = Path(location)
    paths = [path] if path.is_file() else sorted(Path(match) for match in glob.glob(location, recursive=True))
    return [match for match in paths if match.is_file()]


def local_files(location: str, *, name: str) -> list[Path]:
    """The files a path or glob stands for, sorted.

    Raises:
        SourceError: There are none, or one is empty.
    """
    files = find_files(location)
    if not files:
        raise SourceError(f"{name}: {location} must be a file or match some, got no such file; correct [ingest] {name}")
    for file in files:
        if file.stat().st_size == 0:
            raise SourceError(f"{name}: {file} must hold rows, got an empty file; export it again or leave it out")
    return files


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
        SchemaError: A column is missing or cannot be what it must be.
    """
    names, log_format = dict(columns or {}), text_format or TextFormat()
    log = _rename(
        scan_table(interactions, log_format, name="interactions"), names, (USER_ID, ITEM_ID, TIMESTAMP), "interactions"
    )
    schema = log.collect_schema()
    kept = [_as_id(USER_ID, schema[USER_ID]), _as_id(ITEM_ID, schema[ITEM_ID])]
    kept.append(parse_timestamp(TIMESTAMP, schema[TIMESTAMP], unit=timestamp_unit, time_format=timestamp_format))
    kept.append(pl.col(TIMESTAMP).cast(pl.String, strict=False).alias("timestamp_as_read"))
    kept += [pl.col(WEIGHT).cast(pl.Float64, strict=False)] if WEIGHT in schema else []
    kept += [pl.col(EVENT).cast(pl.String)] if EVENT in schema else []
    tables: dict[str, pl.DataFrame | None] = {"items": None, "users": None}
    sides = (
        ("items", items, ITEM_ID, item_format, item_attributes),
        ("users", users, USER_ID, user_format, user_attributes),
    )
    for name, location, key, side_format, attributes in sides:
        if location is not None:
            side = _rename(scan_table(location, side_format or log_format, name=name), names, (key,), name)
            tables[name] = _read_attributes(side, key, attributes or AttributeColumns(), category_separator, name)
    local = [place for place in (interactions, items, users) if place is not None and "://" not in place]
    hashes = {str(path): sha256_of(path) for place in local for path in local_files(place, name="files")}
    return RawTables(interactions=log.select(kept), items=tables["items"], users=tables["users"], files=hashes)


def _scan_parquet(paths: str | list[str]) -> pl.LazyFrame:
    return pl.scan_parquet(paths) if isinstance(paths, str) else pl.scan_parquet(paths, glob=False)


def _scan_text(paths: str | list[str], location: str, text_format: TextFormat, name: str) -> pl.LazyFrame:
    separator = text_format.separator or ("\t" if ".tsv" in location else ",")
    files = [paths] if isinstance(paths, str) else paths
    return pl.concat([_scan_one(file, separator, text_format.header, name) for file in files], how="diagonal")


def _scan_one(file: str, separator: str, header: Sequence[str] | None, name: str) -> pl.LazyFrame:
    """One file, every column as String. Lines are cut here where the separator is longer than a reader's one character."""
    glob_it = "://" in file
    lines = pl.scan_csv(
        file, separator=_NO_SEPARATOR, has_header=False, quote_char=None, new_columns=["line"], infer_schema=False, glob=glob_it
    )
    if header is None:
        first = str(lines.head(1).collect().item()).removeprefix("\ufeff").strip("\r")
        names = next(csv.reader([first], delimiter=separator)) if len(separator.encode()) == 1 else first.split(separator)
        _refuse_doubles(names, name)
    if len(separator.encode()) == 1:
        columns = list(header) if header else None
        table = pl.scan_csv(
            file, separator=separator, has_header=header is None, new_columns=columns, infer_schema=False, glob=glob_it
        )
        # Reading some columns only would not notice a row with too many cells.
        return table.map_batches(lambda batch: batch, projection_pushdown=False, streamable=True)
    cells = pl.col("line").str.strip_chars_end("\r").str.split(separator)
    body, columns = (lines, list(header)) if header else (lines.slice(1), names)
    return body.select(cells.list.get(place, null_on_oob=True).alias(column) for place, column in enumerate(columns))


def _refuse_doubles(names: Sequence[str], table: str) -> None:
    if len(set(names)) < len(names):
        raise SchemaError(f"{table}: column names must be unique, got {', '.join(names)}; rename them in the file")


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
    frame: pl.LazyFrame, key: str, attributes: AttributeColumns, category_separator: str, name: str
) -> pl.DataFrame:
    schema = frame.collect_schema()
    for column in (*attributes.text, *attributes.categories, *attributes.numbers):
        if column not in schema:
            raise SchemaError(f"{name}: column '{column}' must be present, got {', '.join(schema.names())}; correct [ingest]")
    kept = [_as_id(key, schema[key])]
    kept += [pl.col(column).cast(pl.String) for column in attributes.text]
    kept += [_as_categories(column, schema[column], category_separator) for column in attributes.categories]
    kept += [pl.col(column).cast(pl.Float64, strict=False).fill_nan(None) for column in attributes.numbers]
    return collect_source(frame.select(kept), name=name).drop_nulls(key).unique(key, keep="first", maintain_order=True)


def _as_id(column: str, dtype: pl.DataType) -> pl.Expr:
    """Ids are text. Whole numbers that a missing value turned into floats lose their point again."""
    value = pl.col(column)
    if not dtype.is_float():
        return value.cast(pl.String)
    number = value.fill_nan(None)
    whole = number.cast(pl.Int64, strict=False)
    return pl.when(number == whole.cast(dtype)).then(whole.cast(pl.String)).otherwise(number.cast(pl.String)).alias(column)


def _as_categories(column: str, dtype: pl.DataType, separator: str) -> pl.Expr:
    if isinstance(dtype, pl.List):
        return pl.col(column).cast(pl.List(pl.String)).fill_null([])
    cells = pl.col(column).cast(pl.String).str.split(separator).list.eval(pl.element().str.strip_chars())
    return cells.list.eval(pl.element().filter(pl.element().str.len_chars() > 0)).fill_null([])


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
