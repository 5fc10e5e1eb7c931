"""A candidate table against judgements: metrics of each user, and of the catalogue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recsys.core.columns import COUNT, ITEM_ID, ITEM_IDX, RANK, USER_ID
from recsys.core.errors import DataError
from recsys.data.schema import CANDIDATES, check_table
from recsys.evaluation.judgements import Judgements
from recsys.metrics.catalogue import novelty
from recsys.metrics.judge import judge


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """One model's result.

    Attributes:
        per_user: Metric name such as `ndcg@10` to values of shape (U,), in the order of the judged users.
        hits: Shape (U, K), whether the item at each rank is relevant.
        n_relevant: Shape (U,).
        item_idx: Shape (U, K), the lists of the judged users as rows of the catalogue; -1 where short.
    """

    per_user: Mapping[str, NDArray[np.float64]]
    hits: NDArray[np.bool_]
    n_relevant: NDArray[np.int64]
    item_idx: NDArray[np.int32]


def score_candidates(
    candidates: pl.LazyFrame, judgements: Judgements, catalogue: pl.DataFrame, *, ks: Sequence[int], name: str
) -> Scored:
    """Compute every metric at every k for the judged users.

    Args:
        candidates: user_id, item_id, rank from 1.
        judgements: Who is judged and what is relevant.
        catalogue: item_id and count of train events; its row numbers are item idx.
        ks: List lengths.
        name: The model, for messages.

    Raises:
        DataError: Nobody is judged, or a list holds one rank or item twice.
    """
    users = judgements.n_relevant.with_row_index("row")
    if users.is_empty():
        raise DataError(
            "evaluate: some user must have a test item that is new to the user, got repeats only; lists never hold seen items"
        )
    longest = max(ks)
    numbered = catalogue.select(ITEM_ID).with_row_index(ITEM_IDX)
    lists = (
        candidates.filter(pl.col(RANK) <= longest)
        .join(users.lazy().select(USER_ID, "row"), on=USER_ID)
        .join(numbered.lazy(), on=ITEM_ID, how="left")
        .join(judgements.pairs.lazy().with_columns(hit=True), on=[USER_ID, ITEM_ID], how="left")
        .select(
            "row",
            pl.col(RANK).cast(pl.Int64),
            pl.col(ITEM_IDX).cast(pl.Int64).fill_null(-1),
            pl.col("hit").fill_null(False),
        )
        .collect()
    )
    if (
        lists.select("row", RANK).is_duplicated().any()
        or lists.filter(pl.col(ITEM_IDX) >= 0).select("row", ITEM_IDX).is_duplicated().any()
    ):
        raise DataError(f"evaluate: lists of {name} must hold each rank and item once, got doubles; run its stage again")
    row, column = lists["row"].to_numpy(), lists[RANK].to_numpy() - 1
    hits = np.zeros((users.height, longest), bool)
    item_idx = np.full((users.height, longest), -1, np.int32)
    hits[row, column], item_idx[row, column] = lists["hit"].to_numpy(), lists[ITEM_IDX].to_numpy()
    n_relevant = users["n_relevant"].to_numpy()
    per_user = judge(hits, n_relevant, ks=ks)
    share = catalogue[COUNT].to_numpy() / catalogue[COUNT].sum()
    per_user |= {f"novelty@{k}": novelty(item_idx, share, k=k) for k in ks}
    return Scored(per_user=per_user, hits=hits, n_relevant=n_relevant.astype(np.int64), item_idx=item_idx)


def list_counts(item_idx: NDArray[Any], *, n_items: int, k: int, weight: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
    """In how many of the first-k lists each item is. Shape (I,).

    Args:
        item_idx: Shape (U, K), -1 where short.
        n_items: I.
        k: The first k ranks count.
        weight: Shape (U,), how often each user counts; once if None.
    """
    within = item_idx[:, :k]
    listed = within >= 0
    weights = None if weight is None else np.repeat(weight, listed.sum(1))
    return np.bincount(within[listed], weights=weights, minlength=n_items).astype(np.int64)


def score_table(path: Path, judgements: Judgements, catalogue: pl.DataFrame, *, ks: list[int], name: str) -> Scored:
    """As `score_candidates`, from a file that is held to the schema of candidates.

    Raises:
        SchemaError: The file is of another kind.
    """
    table = pl.scan_parquet(path)
    check_table(table, CANDIDATES, name=name)
    return score_candidates(table, judgements, catalogue, ks=ks, name=name)
