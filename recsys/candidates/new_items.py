"""What is known of items that were added after training: their table, kept beside the run's own items."""

from pathlib import Path

import polars as pl

from recsys.core.columns import ITEM_ID
from recsys.core.errors import DataError
from recsys.core.files import read_json, write_atomically
from recsys.data.files import as_categories
from recsys.data.timestamps import parse_timestamp

_FILE = "items.parquet"


def read_new_items(path: Path) -> pl.DataFrame:
    """Read a Parquet table of items, ids as text.

    Raises:
        DataError: It is no Parquet file, has no item_id, or an id is missing or a broken number.
    """
    try:
        table = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DataError(f"{path} must be a Parquet table of items, got: {str(error).splitlines()[0]}") from None
    if ITEM_ID not in table.columns or table[ITEM_ID].dtype.is_float():
        found = ", ".join(f"{name} {dtype}" for name, dtype in table.schema.items())
        raise DataError(f"{path} must have item_id, text or whole numbers, got {found}")
    table = table.with_columns(pl.col(ITEM_ID).cast(pl.String))
    if table.is_empty() or table[ITEM_ID].null_count() or (table[ITEM_ID] == "").any():
        raise DataError(f"{path} must hold an id in each row, got {table.height} rows, some of them without")
    return table


def like_items(run: Path, table: pl.DataFrame) -> pl.DataFrame:
    """A table with the columns and types of the run's items; what it lacks is null.

    Categories and times are read as `[ingest]` of the run says.

    Raises:
        DataError: A column cannot be read as what it is in the run.
    """
    ingest, columns = read_json(run / "config" / "ingest.json")["settings"], []
    for name, dtype in pl.read_parquet_schema(run / "ingest" / "items.parquet").items():
        own = table.schema.get(name)
        if own is None:
            columns.append(pl.lit(None, dtype).alias(name))
        elif isinstance(dtype, pl.List):
            columns.append(as_categories(name, own, ingest["category_separator"]).alias(name))
        elif isinstance(dtype, pl.Datetime):
            unit, time_format = ingest["timestamp_unit"], ingest["timestamp_format"]
            columns.append(parse_timestamp(name, own, unit=unit, time_format=time_format).alias(name))
        else:
            columns.append(pl.col(name).cast(dtype))
    try:
        read = table.select(columns)
    except pl.exceptions.PolarsError as error:
        raise DataError(f"new items must have the columns of the run's items, got: {str(error).splitlines()[0]}") from None
    for name, dtype in read.schema.items():
        if isinstance(dtype, pl.Datetime) and name in table.columns and read[name].null_count() > table[name].null_count():
            first = table.filter(read[name].is_null() & table[name].is_not_null())[name][0]
            raise DataError(f"new items: column '{name}' must hold times as [ingest] of the run has them, got {first!r}")
    return read


def keep_known(run: Path, table: pl.DataFrame) -> None:
    """Keep what is known of added items, so that they are shown, filtered and searched as all others.

    Args:
        run: The run folder.
        table: As `like_items` gives it.
    """
    known = read_known(run)
    with write_atomically(run / "changes" / _FILE) as partial:
        pl.concat([known.filter(~pl.col(ITEM_ID).is_in(table[ITEM_ID].implode())), table]).write_parquet(partial)


def read_known(run: Path) -> pl.DataFrame:
    """What was kept of added items; no rows if there are none."""
    path = run / "changes" / _FILE
    if path.is_file():
        return like_items(run, pl.read_parquet(path))
    return pl.DataFrame(schema=pl.read_parquet_schema(run / "ingest" / "items.parquet"))


def read_all_items(run: Path) -> pl.DataFrame:
    """The items of the run and, behind them, those added; of an id in both, what the run has."""
    own, new = pl.read_parquet(run / "ingest" / "items.parquet"), read_known(run)
    return pl.concat([own, new.filter(~pl.col(ITEM_ID).is_in(own[ITEM_ID].implode()))])
