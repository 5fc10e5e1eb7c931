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
from recsys.evaluation.background import Taste
from recsys.evaluation.judgements import Judgements
from recsys.metrics.catalogue import novelty, serendipity
from recsys.metrics.judge import judge
from recsys.metrics.rank import graded_ndcg, graded_recall

_PROPENSITY = (
    0.5  # the power of an item's count that its chance to be observed grows with: Saito et al., WSDM 2020, section 5.1
)


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
    candidates: pl.LazyFrame,
    judgements: Judgements,
    catalogue: pl.DataFrame,
    *,
    ks: Sequence[int],
    name: str,
    taste: Taste | None = None,
) -> Scored:
    """Compute every metric at every k for the judged users.

    Args:
        candidates: user_id, item_id, rank from 1.
        judgements: Who is judged and what is relevant.
        catalogue: item_id and count of train events; its row numbers are item idx.
        ks: List lengths.
        name: The model, for messages.
        taste: What the judged users took, for metrics of popularity and diversity; these are left out if None.

    Raises:
        DataError: Nobody is judged, or a list holds one rank or item twice.
    """
    users = judgements.n_relevant.with_row_index("row")
    if users.is_empty():
        raise DataError(
            "evaluate: some user must have a test item that is new to the user, got repeats only; lists never hold seen items"
        )
    longest = max(ks)
    numbered = catalogue.with_row_index(ITEM_IDX)
    gain = 1 / pl.col(COUNT).fill_null(0).clip(1).cast(pl.Float64) ** _PROPENSITY
    pairs = judgements.pairs.join(numbered, on=ITEM_ID, how="left").select(USER_ID, ITEM_ID, gain=gain)
    lists = (
        candidates.filter(pl.col(RANK) <= longest)
        .join(users.lazy().select(USER_ID, "row"), on=USER_ID)
        .join(numbered.lazy().select(ITEM_ID, ITEM_IDX), on=ITEM_ID, how="left")
        .join(pairs.lazy(), on=[USER_ID, ITEM_ID], how="left")
        .select(
            "row",
            pl.col(RANK).cast(pl.Int64),
            pl.col(ITEM_IDX).cast(pl.Int64).fill_null(-1),
            pl.col("gain").fill_null(0.0),
        )
        .collect()
    )
    if (
        lists.select("row", RANK).is_duplicated().any()
        or lists.filter(pl.col(ITEM_IDX) >= 0).select("row", ITEM_IDX).is_duplicated().any()
    ):
        raise DataError(f"evaluate: lists of {name} must hold each rank and item once, got doubles; run its stage again")
    row, column = lists["row"].to_numpy(), lists[RANK].to_numpy() - 1
    gains = np.zeros((users.height, longest))
    item_idx = np.full((users.height, longest), -1, np.int32)
    gains[row, column], item_idx[row, column] = lists["gain"].to_numpy(), lists[ITEM_IDX].to_numpy()
    hits, n_relevant, counts = gains > 0, users["n_relevant"].to_numpy().astype(np.int64), catalogue[COUNT].to_numpy()
    whole, best = _most_to_gain(pairs.join(users, on=USER_ID), n_users=users.height, longest=longest)
    others = {
        "debiased_recall": graded_recall(gains, whole, ks=ks),
        "debiased_ndcg": graded_ndcg(gains, best, ks=ks),
        "serendipity": serendipity(hits, item_idx, counts, ks=ks),
        "novelty": novelty(item_idx, counts / counts.sum(), ks=ks),
    }
    if taste is not None:
        others |= taste.metrics(item_idx, counts, ks=ks)
    per_user = judge(hits, n_relevant, ks=ks)
    per_user |= {f"{metric}@{k}": values[:, number] for metric, values in others.items() for number, k in enumerate(ks)}
    return Scored(per_user=per_user, hits=hits, n_relevant=n_relevant, item_idx=item_idx)


def _most_to_gain(pairs: pl.DataFrame, *, n_users: int, longest: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What all relevant items of each user are worth together, (U,), and each of those worth most, (U, R)."""
    ordered = pairs.sort("row", "gain", descending=[False, True])
    rank = ordered.select(pl.int_range(pl.len()).over("row")).to_series().to_numpy()
    row, gain = ordered["row"].to_numpy(), ordered["gain"].to_numpy()
    best, within = np.zeros((n_users, min(longest, int(rank.max(initial=0)) + 1))), rank < longest
    best[row[within], rank[within]] = gain[within]
    return np.asarray(np.bincount(row, gain, minlength=n_users), np.float64), best


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


def score_table(
    path: Path,
    judgements: Judgements,
    catalogue: pl.DataFrame,
    *,
    ks: Sequence[int],
    name: str,
    taste: Taste | None = None,
) -> Scored:
    """As `score_candidates`, from a file that is held to the schema of candidates.

    Raises:
        SchemaError: The file is of another kind.
    """
    table = pl.scan_parquet(path)
    check_table(table, CANDIDATES, name=name)
    return score_candidates(table, judgements, catalogue, ks=ks, name=name, taste=taste)
