"""Lists from anywhere: candidates of this project, and those that another system wrote."""

from pathlib import Path

import polars as pl

from recsys.core.columns import ITEM_ID, RANK, SCORE, USER_ID
from recsys.core.errors import DataError, SchemaError
from recsys.data.files import as_id
from recsys.data.scan import TextFormat, collect_source, scan_table


def read_lists(path: Path) -> pl.DataFrame:
    """Read user_id, item_id and rank from Parquet, CSV or TSV.

    Args:
        path: A table with user_id, item_id, and rank or score. Ranks may begin anywhere and have holes: their order counts. Of
            scores the highest comes first, equal ones as they stand.

    Returns:
        user_id, item_id, rank from 1 without holes, sorted.

    Raises:
        SourceError: There is no such file, or it cannot be read.
        SchemaError: A column is missing, or ranks are no numbers.
        DataError: A user's list holds an item twice.
    """
    scan = scan_table(str(path), TextFormat(), name=str(path))
    schema = scan.collect_schema()
    by = RANK if RANK in schema else SCORE
    for column in (USER_ID, ITEM_ID, by):
        if column not in schema:
            wanted = "rank or score" if column == by else f"'{column}'"
            raise SchemaError(f"{path}: column {wanted} must be present, got {', '.join(schema)}; rename the columns")
    order = pl.col(by).cast(pl.Float64, strict=False).fill_nan(None)
    rows = collect_source(scan.select(as_id(USER_ID, schema[USER_ID]), as_id(ITEM_ID, schema[ITEM_ID]), order), name=str(path))
    if missing := int(rows.select(pl.any_horizontal(pl.all().is_null())).to_series().sum()):
        raise DataError(f"{path}: every row must have a user, an item and a {by} that is a number, got {missing:,} without")
    if doubled := rows.height - rows.n_unique([USER_ID, ITEM_ID]):
        raise DataError(f"{path}: a list must hold an item once, got {doubled:,} doubles; drop them")
    ordered = rows.sort(USER_ID, by, descending=[False, by == SCORE], maintain_order=True)
    return ordered.select(USER_ID, ITEM_ID, pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over(USER_ID).alias(RANK))
