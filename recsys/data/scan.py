"""Opening a table from outside: CSV or Parquet, a file, a glob or a cloud address, read lazily."""

import csv
import glob
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from recsys.core.errors import SchemaError, SourceError

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


def plain_or_gzipped(folder: Path, file: str) -> Path | None:
    """A file of a folder as it is or with `.gz` behind its name; None if neither is there."""
    return next((path for path in (folder / file, folder / f"{file}.gz") if path.is_file()), None)


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
    return body.select(cells.list.get(number, null_on_oob=True).alias(column) for number, column in enumerate(columns))


def _refuse_doubles(names: Sequence[str], table: str) -> None:
    if len(set(names)) < len(names):
        raise SchemaError(f"{table}: column names must be unique, got {', '.join(names)}; rename them in the file")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
