"""Categories and numbers of items or users as arrays, fitted on what train knows."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recsys.data.schema import category_columns, number_columns
from recsys.data.vocabulary import Vocabulary

_MOST_PER_ROW = 32
_MOST_BUCKETS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """What the towers read of each row.

    Attributes:
        categories: Shape (R, A) int32, category numbers from 1, 0 is none; R rows in the order of the vocabulary. A number
            is a category too, by the range it lies in, so that a tower need not be linear in it.
        numbers: Shape (R, F) float32, standardised; a missing number is 0, the mean.
        category_names: The categories' names as `column=value`, of a range `column>=lowest`; the number of the first is 1.
        number_names: The F columns.
        n_cut: Rows that had more than 32 categories and lost the rest.
    """

    categories: NDArray[np.int32]
    numbers: NDArray[np.float32]
    category_names: list[str]
    number_names: list[str]
    n_cut: int


def fit_attributes(table: pl.DataFrame | None, *, vocabulary: Vocabulary, id_column: str) -> Attributes:
    """Encode the attributes of the ids in a vocabulary; other rows of the table are not looked at.

    Args:
        table: One row an id; None gives arrays without columns.
        vocabulary: Fitted on train; it says which rows count and in what order.
        id_column: The table's key.
    """
    ids = pl.DataFrame({id_column: vocabulary.ids})
    rows = ids if table is None else ids.join(table, on=id_column, how="left", maintain_order="left")
    numbers = number_columns(rows)
    named = [_name_categories(rows, column) for column in category_columns(rows)]
    named += [_name_ranges(rows, column) for column in numbers]
    categories, names, n_cut = _encode_categories(named, n_rows=rows.height)
    return Attributes(
        categories=categories,
        numbers=_standardise(rows.select(numbers).to_numpy() if numbers else np.zeros((len(vocabulary), 0))),
        category_names=names,
        number_names=numbers,
        n_cut=n_cut,
    )


def _name_categories(rows: pl.DataFrame, column: str) -> pl.DataFrame:
    """One line (row, name) a category."""
    long = rows.select(row=pl.int_range(pl.len(), dtype=pl.Int64), value=pl.col(column)).explode("value").drop_nulls("value")
    return long.select("row", name=pl.lit(f"{column}=") + pl.col("value"))


def _name_ranges(rows: pl.DataFrame, column: str) -> pl.DataFrame:
    """One line (row, name) a known number: its own value if there are few, else which of many equally full ranges."""
    values = rows[column].cast(pl.Float64).to_numpy()
    position = np.flatnonzero(np.isfinite(values))
    known = values[position]
    lowest = np.unique(known)
    if len(lowest) > _MOST_BUCKETS:
        lowest = np.unique(np.quantile(known, np.arange(_MOST_BUCKETS) / _MOST_BUCKETS, method="lower"))
    bucket = np.searchsorted(lowest, known, side="right") - 1
    names = pl.Series([f"{column}>={value:.12g}" for value in lowest], dtype=pl.String)
    return pl.DataFrame({"row": pl.Series(position, dtype=pl.Int64), "name": names.gather(bucket)})


def _encode_categories(named: list[pl.DataFrame], *, n_rows: int) -> tuple[NDArray[np.int32], list[str], int]:
    if not named:
        return np.zeros((n_rows, 0), np.int32), [], 0
    frame = pl.concat(named).unique(maintain_order=True)
    names = frame["name"].unique().sort()
    codes = pl.DataFrame({"name": names, "code": pl.Series(range(1, len(names) + 1), dtype=pl.Int32)})
    placed = frame.join(codes, on="name").sort("row", "code").with_columns(position=pl.int_range(pl.len()).over("row"))
    n_cut = placed.filter(pl.col("position") == _MOST_PER_ROW).height
    placed = placed.filter(pl.col("position") < _MOST_PER_ROW)
    widest = int(placed["position"].to_numpy().max(initial=0)) + 1
    encoded = np.zeros((n_rows, widest), np.int32)
    encoded[placed["row"].to_numpy(), placed["position"].to_numpy()] = placed["code"].to_numpy()
    return encoded, names.to_list(), n_cut


def _standardise(values: NDArray[np.float64]) -> NDArray[np.float32]:
    known = np.isfinite(values)
    count = np.maximum(known.sum(0), 1)
    mean = np.where(known, values, 0).sum(0) / count
    spread = np.sqrt((np.where(known, values - mean, 0) ** 2).sum(0) / count)
    scaled = np.where(known, values - mean, 0) / np.where(spread > 0, spread, 1)
    return np.clip(scaled, -5, 5).astype(np.float32)
