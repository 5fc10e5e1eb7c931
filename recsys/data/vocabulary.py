"""Ids to positions and back: idx starts at 0 without holes, in the order of the sorted ids."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from recsys.core.columns import ITEM_ID, USER_ID
from recsys.core.errors import ArtefactError, DataError
from recsys.core.files import write_atomically


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """A fixed set of ids.

    Attributes:
        ids: The ids as String, sorted and unique; an id's position is its idx.
    """

    ids: pl.Series

    def __len__(self) -> int:
        return len(self.ids)

    def frame(self, *, id_column: str, idx_column: str) -> pl.DataFrame:
        """The two columns as a table, for joins."""
        return pl.DataFrame({id_column: self.ids, idx_column: pl.Series(range(len(self)), dtype=pl.Int32)})

    def idx_of(self, identifier: str) -> int | None:
        """The idx of one id, or None if it is not in the vocabulary. Takes O(log n)."""
        idx = self.ids.search_sorted(identifier)
        return int(idx) if idx < len(self) and self.ids[int(idx)] == identifier else None


def fit_vocabulary(ids: pl.Series) -> Vocabulary:
    """Collect the distinct ids of a training column.

    Raises:
        DataError: An id is null.
    """
    if ids.null_count():
        raise DataError(f"vocabulary: ids must not be null, got {ids.null_count()} nulls; clean the log first")
    return Vocabulary(ids=ids.cast(pl.String).unique().sort())


def fit_users(train: pl.DataFrame, validation: pl.DataFrame) -> Vocabulary:
    """The users who have a history to be served from: events, before the request, on items that train knows.

    Args:
        train: user_id, item_id.
        validation: Likewise.
    """
    known = pl.concat([part.select(USER_ID, ITEM_ID) for part in (train, validation)])
    return fit_vocabulary(known.join(train.select(ITEM_ID).unique(), on=ITEM_ID, how="semi")[USER_ID])


def write_vocabulary(path: Path, vocabulary: Vocabulary, *, id_column: str, idx_column: str) -> None:
    """Write the vocabulary as a Parquet table of id and idx, atomically."""
    with write_atomically(path) as partial:
        vocabulary.frame(id_column=id_column, idx_column=idx_column).write_parquet(partial)


def read_vocabulary(path: Path, *, id_column: str) -> Vocabulary:
    """Read a vocabulary.

    Raises:
        ArtefactError: The file is missing or is no such table.
    """
    try:
        return Vocabulary(ids=pl.read_parquet(path, columns=[id_column])[id_column])
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ArtefactError(
            f"{path} must be a vocabulary, got {str(error).splitlines()[0]}; run the stage pairs again"
        ) from None
