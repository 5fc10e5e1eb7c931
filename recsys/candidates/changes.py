"""What happened to the catalogue since the model was trained: items added with their vectors, items deleted. On file, by id."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recsys.core.columns import ITEM_ID
from recsys.core.errors import DataError
from recsys.core.files import write_atomically
from recsys.data.vocabulary import Vocabulary
from recsys.index.nearest import UNIT_TOLERANCE, Vectors

_FILE = "changes.parquet"
_SCHEMA = {
    ITEM_ID: pl.String(),
    "vector": pl.List(pl.Float32()),
    "model": pl.String(),
    "is_deleted": pl.Boolean(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """The changes that hold for one model.

    Attributes:
        added: Ids of the items added, in the order they came; their idx follow those of the vocabulary.
        vectors: Shape (N, D), their vectors.
        deleted: Ids of the vocabulary or added ones that must not be recommended any more.
        of_other_models: Ids of items that were added to another model and have no vector of this one.
    """

    added: pl.Series
    vectors: Vectors
    deleted: pl.Series
    of_other_models: pl.Series

    def extend(self, items: Vocabulary) -> Vocabulary:
        """The items of the vocabulary and behind them the added ones, for look-up by idx."""
        return Vocabulary(ids=pl.concat([items.ids, self.added]))

    def after(self, cold: pl.DataFrame) -> "Changes":
        """The same with items behind the added ones that have a vector since the model was trained.

        Args:
            cold: `item_id` and `vector`, lists of D numbers.
        """
        new = cold.filter(~pl.col(ITEM_ID).is_in(self.added.implode()))
        vectors = new["vector"].to_numpy() if new.height else np.zeros((0, self.vectors.shape[1]), np.float32)
        return replace(
            self,
            added=pl.concat([self.added, new[ITEM_ID]]),
            vectors=np.concatenate([self.vectors, vectors]).astype(np.float32),
            of_other_models=self.of_other_models.filter(~self.of_other_models.is_in(new[ITEM_ID].implode())),
        )

    def remaining(self, items: Vocabulary, allowed: NDArray[np.bool_] | None) -> NDArray[np.bool_] | None:
        """A filter over the extended vocabulary without what is deleted; None if nothing is filtered."""
        if not len(self.deleted):
            return allowed
        is_kept = ~items.ids.is_in(self.deleted.implode()).to_numpy()
        return is_kept if allowed is None else allowed & is_kept


def read_changes(folder: Path, *, model: str, dim: int) -> Changes:
    """Read what is on file, or nothing if there is no file.

    Args:
        folder: The folder of changes of a run.
        model: The hash of the item vectors that the run has now.
        dim: D.
    """
    table = _read(folder)
    is_added = pl.col("vector").is_not_null()
    current = table.filter(is_added & (pl.col("model") == model))
    vectors = np.zeros((0, dim), np.float32)
    if current.height:
        vectors = np.array(current["vector"].to_list(), np.float32)
    return Changes(
        added=current[ITEM_ID],
        vectors=vectors,
        deleted=table.filter("is_deleted")[ITEM_ID],
        of_other_models=table.filter(is_added & (pl.col("model") != model))[ITEM_ID],
    )


def add_items(
    folder: Path, ids: Sequence[str], vectors: Vectors, *, items: Vocabulary, model: str, dim: int, scale: float = 1.0
) -> None:
    """Add items, all or none.

    Args:
        folder: The folder of changes of a run.
        ids: Their ids.
        vectors: Shape (N, D), as the item tower would give them, of length 1.
        items: The vocabulary.
        model: The hash of the item vectors that the run has now.
        dim: D.
        scale: What the vectors are shortened to, in (0, 1]: shorter ones displace others less often.

    Raises:
        DataError: An id is in use or was, two are the same, or a vector has another size or length.
    """
    check_new_ids(folder, ids, items=items, model=model)
    table = _read(folder)
    if vectors.shape != (len(ids), dim):
        raise DataError(f"add-items: vectors must have {dim} numbers each, got an array of shape {vectors.shape}; encode again")
    off = float(np.abs(np.linalg.norm(vectors, axis=1) - 1).max(initial=0.0))
    if not off <= UNIT_TOLERANCE:
        raise DataError(f"add-items: vectors must have length 1, got one off by {off:.3g}; divide by the length")
    rows = pl.DataFrame(
        {ITEM_ID: list(ids), "vector": (vectors * scale).tolist(), "model": model, "is_deleted": False}, schema=_SCHEMA
    )
    _write(folder, pl.concat([table.filter(~pl.col(ITEM_ID).is_in(list(ids))), rows]))


def check_new_ids(folder: Path, ids: Sequence[str], *, items: Vocabulary, model: str) -> None:
    """Refuse ids that cannot be added; arguments and errors are those of `add_items`."""
    table = _read(folder)
    of_now = pl.col("vector").is_null() | (pl.col("model") == model) | pl.col("is_deleted")
    used = set(items.ids) | set(table.filter(of_now)[ITEM_ID])
    twice = [identifier for identifier, count in Counter(ids).items() if count > 1]
    if twice:
        raise DataError(f"add-items: an id must stand in the file once, got '{twice[0]}' again; correct the file")
    again = [identifier for identifier in ids if identifier in used]
    if again:
        raise DataError(f"add-items: an id must be new, got '{again[0]}', which is or was in use; ids are never used again")


def delete_items(folder: Path, ids: Sequence[str], *, items: Vocabulary) -> None:
    """Mark items as deleted, all or none.

    Args:
        folder: The folder of changes of a run.
        ids: Ids of the vocabulary or of added items; one that is deleted already stays so.
        items: The vocabulary, and what else can be recommended.

    Raises:
        DataError: An id is not known.
    """
    table = _read(folder)
    known = set(items.ids) | set(table[ITEM_ID])
    unknown = [identifier for identifier in ids if identifier not in known]
    if unknown:
        raise DataError(f"delete-items: an item must be known, got '{unknown[0]}'; nothing was deleted")
    table = table.with_columns(is_deleted=pl.col("is_deleted") | pl.col(ITEM_ID).is_in(list(ids)))
    new = [identifier for identifier in dict.fromkeys(ids) if identifier not in set(table[ITEM_ID])]
    rows = pl.DataFrame({ITEM_ID: new, "vector": None, "model": None, "is_deleted": True}, schema=_SCHEMA)
    _write(folder, pl.concat([table, rows]))


def read_vectors(path: Path) -> tuple[list[str], Vectors]:
    """Read item ids and vectors from a Parquet file.

    Raises:
        DataError: It is no such table, or a vector is missing or of another size than the first.
    """
    try:
        table = pl.read_parquet(path, columns=[ITEM_ID, "vector"])
        ids = table[ITEM_ID].cast(pl.String)
        is_good = not ids.null_count() and bool((ids != "").all()) and not table[ITEM_ID].dtype.is_float()
        vectors = np.array(table["vector"].cast(pl.List(pl.Float32)).to_list(), np.float32)
    except (OSError, ValueError, TypeError, pl.exceptions.PolarsError) as error:
        raise DataError(
            f"{path} must be Parquet with item_id and vector, lists of as many numbers, got: {str(error).splitlines()[0]}"
        ) from None
    if not is_good or vectors.ndim != 2:
        raise DataError(
            f"{path} must hold an id, text or a whole number, and a vector in each row, got {len(ids)} rows that lack some"
        )
    return ids.to_list(), vectors


def _read(folder: Path) -> pl.DataFrame:
    path = folder / _FILE
    return pl.read_parquet(path) if path.is_file() else pl.DataFrame(schema=_SCHEMA)


def _write(folder: Path, table: pl.DataFrame) -> None:
    with write_atomically(folder / _FILE) as partial:
        table.write_parquet(partial)
