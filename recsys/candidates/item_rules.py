"""Which items may be recommended at all: lists of ids, categories, a window of availability, an age."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recsys.core.columns import ITEM_ID
from recsys.core.errors import DataError
from recsys.data.files import as_id
from recsys.data.schema import category_columns, time_columns
from recsys.data.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRules:
    """All of them must hold.

    Attributes:
        allow: Ids outside this list are left out; None allows all.
        deny: Ids to leave out.
        categories: For a category column, the values of which an item needs at least one.
        available_from: A time column: the item is left out before it. Null is no limit.
        available_until: A time column: the item is left out from then on. Null is no limit.
        released: A time column from which an item's age counts. Null is of any age.
        min_age_days: Younger items are left out.
        now: The moment the rules are applied at.
    """

    allow: Sequence[str] | None = None
    deny: Sequence[str] = ()
    categories: Mapping[str, Sequence[str]] | None = None
    available_from: str | None = None
    available_until: str | None = None
    released: str | None = None
    min_age_days: float = 0.0
    now: datetime | None = None


def allowed_items(rules: ItemRules, table: pl.DataFrame, *, items: Vocabulary) -> NDArray[np.bool_] | None:
    """Apply the rules to the items of a vocabulary.

    Args:
        rules: What must hold.
        table: One row an item, as the stage `ingest` wrote it; an item without a row has no categories and no times.
        items: The ids, in the order of the answer.

    Returns:
        Shape (I,), or None if no rule is given.

    Raises:
        DataError: A column is not there or is of another kind, a category value is not known, or nothing is left.
    """
    conditions = list(_conditions(rules, table))
    if not conditions:
        return None
    known = set(items.ids)
    for name, ids in (("allow", rules.allow or ()), ("deny", rules.deny)):
        if ids and not known.intersection(ids):
            raise DataError(
                f"filters: some id of {name} must be an item of train, got none of {len(ids)}, first '{ids[0]}'; check the ids"
            )
    rows = pl.DataFrame({ITEM_ID: items.ids}).join(table, on=ITEM_ID, how="left", maintain_order="left")
    allowed = rows.select(pl.all_horizontal(conditions).fill_null(False)).to_series().to_numpy()
    if not allowed.any():
        raise DataError(f"filters: at least one of {len(items)} items must be left, got none; loosen them")
    return np.asarray(allowed, np.bool_)


def read_ids(path: str, *, column: str, name: str) -> list[str]:
    """Ids from a Parquet or CSV file with that column, or from a text file with one id a line.

    Raises:
        DataError: The file cannot be read, or has no such column.
    """
    kind = Path(path).suffix.lower()
    if kind not in (".parquet", ".csv", ".txt", ""):
        raise DataError(f"{name}: a file of ids must end in .parquet, .csv or .txt, got {path}; rename or convert it")
    try:
        if kind in (".parquet", ".csv"):
            scan = pl.scan_parquet(path) if kind == ".parquet" else pl.scan_csv(path, infer_schema=False)
            dtype = scan.select(column).collect_schema()[column]
            return scan.select(as_id(column, dtype)).drop_nulls().collect()[column].to_list()
        with Path(path).open(encoding="utf-8-sig") as lines:
            return [line.strip() for line in lines if line.strip()]
    except (OSError, UnicodeDecodeError, pl.exceptions.PolarsError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(
            f"{name}: {path} must be a table with the column {column}, or one id a line, got: {reason}; correct the file"
        ) from None


def _conditions(rules: ItemRules, table: pl.DataFrame) -> list[pl.Expr]:
    now = pl.lit(rules.now, pl.Datetime("us", "UTC"))
    conditions = []
    if rules.allow is not None:
        conditions.append(pl.col(ITEM_ID).is_in(list(rules.allow)))
    if rules.deny:
        conditions.append(~pl.col(ITEM_ID).is_in(list(rules.deny)))
    for column, values in (rules.categories or {}).items():
        _check_categories(table, column, values)
        conditions.append(pl.col(column).list.eval(pl.element().is_in(list(values))).list.any().fill_null(False))
    for named in (rules.available_from, rules.available_until, rules.released):
        if named is not None and named not in time_columns(table):
            known = ", ".join(time_columns(table)) or "none"
            raise DataError(f"filters: '{named}' must be a time column of items, got columns: {known}; see [ingest] item_times")
    if rules.available_from:
        conditions.append(pl.col(rules.available_from).is_null() | (pl.col(rules.available_from) <= now))
    if rules.available_until:
        conditions.append(pl.col(rules.available_until).is_null() | (pl.col(rules.available_until) > now))
    if rules.released and rules.min_age_days:
        oldest = now - timedelta(days=rules.min_age_days)
        conditions.append(pl.col(rules.released).is_null() | (pl.col(rules.released) <= oldest))
    return conditions


def _check_categories(table: pl.DataFrame, column: str, values: Sequence[str]) -> None:
    if column not in category_columns(table):
        known = ", ".join(category_columns(table)) or "none"
        raise DataError(f"filters: '{column}' must be a category column of items, got columns: {known}; correct the filter")
    found = set(table[column].explode().unique().drop_nulls())
    unknown = [value for value in values if value not in found]
    if unknown:
        some = ", ".join(sorted(found)[:20])
        raise DataError(f"filters: '{unknown[0]}' must be a value of '{column}', got values such as {some}; correct the filter")
