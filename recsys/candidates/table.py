"""The candidate table: user_id, item_id, rank from 1, score; sorted by user and rank; written block by block."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from recsys.core.columns import ITEM_ID, RANK, SCORE, SOURCE, USER_ID
from recsys.core.errors import DataError
from recsys.core.files import write_atomically
from recsys.data.vocabulary import Vocabulary
from recsys.index.nearest import Found

_FEW_WORDS = 4
_CODED = pa.dictionary(pa.int32(), pa.large_string())


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a table holds.

    Attributes:
        n_lists: Users with at least one row.
        n_rows: Rows.
        n_short: Users with fewer than K items.
        n_distinct: Different items.
        n_by_source: Rows of each source.
    """

    n_lists: int
    n_rows: int
    n_short: int
    n_distinct: int
    n_by_source: tuple[int, ...]

    def check_coverage(self, least: float, *, n_allowed: int) -> None:
        """Refuse lists that hold too little of the catalogue.

        Args:
            least: Share of the allowed items that must be in some list.
            n_allowed: How many these are.

        Raises:
            DataError: They are fewer.
        """
        if self.n_distinct < least * n_allowed:
            raise DataError(
                f"retrieve: at least {least:.1%} of {n_allowed:,} allowed items must be in some list, got {self.n_distinct:,}; "
                "nothing was published; look at the model, or lower [retrieve] min_coverage"
            )

    def shares(self, sources: Sequence[str]) -> dict[str, float]:
        """The share of the rows that each source brought."""
        return {name: n / max(self.n_rows, 1) for name, n in zip(sources, self.n_by_source, strict=False)}


def write_candidates(
    path: Path,
    blocks: Iterable[tuple[NDArray[np.integer], Found]],
    *,
    users: Vocabulary,
    items: Vocabulary,
    metadata: Mapping[str, str],
    columns: tuple[str, str] = (USER_ID, ITEM_ID),
    sources: Sequence[str] = (),
) -> Written:
    """Write lists as Parquet, one row group a block, atomically and in bounded memory.

    Args:
        path: The table.
        blocks: user_idx of shape (B,), ascending over all blocks, and what was found for them, shape (B, K).
        users: The ids of the rows' owners.
        items: The item ids.
        metadata: Kept in the file's schema, such as the hash of the vectors.
        columns: The names of the two ids.
        sources: Names of the sources; with more than one the table says which it was.
    """
    coded = _coded(columns, sources)
    n_lists = n_rows = n_short = 0
    by_source = np.zeros(max(len(sources), 1), np.int64)
    is_found = np.zeros(len(items), bool)
    options: dict[str, Any] = {
        "compression": "zstd",
        "use_dictionary": [*coded, RANK],
        "write_statistics": [columns[0]],
        "store_schema": False,
    }
    schema = _schema(columns, sources)
    with write_atomically(path) as partial, pq.ParquetWriter(partial, schema, **options) as writer:
        for user_idx, found in blocks:
            kept = found.lists.item_idx >= 0
            n_lists, n_rows = n_lists + int(kept.any(1).sum()), n_rows + int(kept.sum())
            n_short += int((~kept).any(1).sum())
            is_found[found.lists.item_idx[kept]] = True
            by_source += np.bincount(found.source[kept], minlength=len(by_source))
            writer.write_table(_table(user_idx, found, users=users, items=items, columns=columns, sources=sources))
        writer.add_key_value_metadata(dict(metadata))
    return Written(
        n_lists=n_lists, n_rows=n_rows, n_short=n_short, n_distinct=int(is_found.sum()), n_by_source=tuple(by_source.tolist())
    )


def candidate_frame(
    user_idx: NDArray[np.integer], found: Found, *, users: Vocabulary, items: Vocabulary, sources: Sequence[str] = ()
) -> pl.DataFrame:
    """What was found as rows, without the empty ranks of short lists."""
    columns = (USER_ID, ITEM_ID)
    table = _table(user_idx, found, users=users, items=items, columns=columns, sources=sources)
    return pl.DataFrame(table).with_columns(pl.col(_coded(columns, sources)).cast(pl.String))


def _coded(columns: tuple[str, str], sources: Sequence[str]) -> list[str]:
    """The columns of words."""
    return [*columns, *([SOURCE] if len(sources) > 1 else [])]


def _schema(columns: tuple[str, str], sources: Sequence[str]) -> pa.Schema:
    first, second, *last = ((name, _CODED) for name in _coded(columns, sources))
    return pa.schema([first, second, (RANK, pa.int32()), (SCORE, pa.float32()), *last])


def _table(
    user_idx: NDArray[np.integer],
    found: Found,
    *,
    users: Vocabulary,
    items: Vocabulary,
    columns: tuple[str, str],
    sources: Sequence[str],
) -> pa.Table:
    """One row for each item listed; words are coded."""
    kept = found.lists.item_idx >= 0
    cells = {
        columns[0]: _code(np.repeat(user_idx, kept.sum(1)), users.ids),
        columns[1]: _code(found.lists.item_idx[kept], items.ids),
        SOURCE: _code(found.source[kept], pl.Series(sources, dtype=pl.String)) if len(sources) > 1 else None,
    }
    rank = np.broadcast_to(np.arange(1, kept.shape[1] + 1, dtype=np.int32), kept.shape)[kept]
    cells |= {RANK: pl.Series(rank).to_arrow(), SCORE: pl.Series(found.lists.score[kept].astype(np.float32)).to_arrow()}
    schema = _schema(columns, sources)
    return pa.table([cells[name] for name in schema.names], schema=schema)


def _code(position: NDArray[np.integer], words: pl.Series) -> pa.DictionaryArray:
    """Words by their position, as a dictionary of those that occur; the work grows with the positions, not with all words."""
    if (np.diff(position) >= 0).all():
        is_first = np.diff(position, prepend=-1) > 0
        occurs, number = position[is_first], np.cumsum(is_first, dtype=np.int32) - 1
    elif len(words) <= _FEW_WORDS * len(position):
        is_there = np.zeros(len(words), bool)
        is_there[position] = True
        occurs, number = np.flatnonzero(is_there), (np.cumsum(is_there, dtype=np.int32) - 1)[position]
    else:
        occurs, number = np.unique(position, return_inverse=True)
    coded = pl.Series(number.astype(np.int32)).to_arrow()
    return pa.DictionaryArray.from_arrays(coded, words.gather(occurs).to_arrow())
