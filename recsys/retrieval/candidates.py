"""The candidate table: user_id, item_id, rank from 1, score; sorted by user and rank; written block by block."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from recsys.core.columns import ITEM_ID, RANK, SCORE, USER_ID
from recsys.core.errors import DataError
from recsys.core.files import write_atomically
from recsys.data.vocabulary import Vocabulary
from recsys.retrieval.nearest import Neighbours

_SCHEMA = [(USER_ID, pa.large_string()), (ITEM_ID, pa.large_string()), (RANK, pa.int32()), (SCORE, pa.float32())]


def check_list_length(k: int, *, n_items: int, name: str) -> None:
    """Refuse lists longer than the catalogue.

    Raises:
        DataError: k is larger than the number of items.
    """
    if k > n_items:
        raise DataError(
            f"{name}: k must be at most the catalogue of {n_items} items, got {k}; lower it, and [evaluate] ks with it"
        )


def write_candidates(
    path: Path,
    blocks: Iterable[tuple[NDArray[np.integer], Neighbours]],
    *,
    users: Vocabulary,
    items: Vocabulary,
    metadata: Mapping[str, str],
) -> int:
    """Write lists as Parquet, one row group a block, atomically and in bounded memory.

    Args:
        path: The table.
        blocks: user_idx of shape (B,), ascending over all blocks, and their neighbours of shape (B, K).
        users: The user ids.
        items: The item ids.
        metadata: Kept in the file's schema, such as the hash of the vectors.

    Returns:
        How many users have fewer than K items.
    """
    schema = pa.schema(_SCHEMA, metadata={name.encode(): value.encode() for name, value in metadata.items()})
    n_short = 0
    with write_atomically(path) as partial, pq.ParquetWriter(partial, schema, compression="zstd") as writer:
        for user_idx, found in blocks:
            n_short += int((found.item_idx < 0).any(1).sum())
            table = candidate_frame(user_idx, found, users=users, items=items).to_arrow()
            writer.write_table(table.cast(schema))
    return n_short


def candidate_frame(user_idx: NDArray[np.integer], found: Neighbours, *, users: Vocabulary, items: Vocabulary) -> pl.DataFrame:
    """Neighbours as rows, without the empty places of short lists."""
    kept = found.item_idx >= 0
    rank = np.broadcast_to(np.arange(1, kept.shape[1] + 1, dtype=np.int32), kept.shape)
    return pl.DataFrame(
        {
            USER_ID: users.ids.gather(np.repeat(user_idx, kept.sum(1))),
            ITEM_ID: items.ids.gather(found.item_idx[kept]),
            RANK: rank[kept],
            SCORE: found.score[kept].astype(np.float32),
        }
    )
