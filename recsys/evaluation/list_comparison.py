"""Two candidate tables side by side: what changed for users, and what changed for the catalogue."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recsys.core.columns import ITEM_ID, RANK, USER_ID
from recsys.metrics.list_similarity import overlap, rank_biased_overlap

_BLOCK = 512
_CHURNED_UNDER = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class ListComparison:
    """What is left of the first table in the second, at k.

    Attributes:
        k: Ranks looked at.
        n_users: Users in both tables.
        n_lost: Users in the first table only.
        n_new: Users in the second table only.
        overlap: Mean share of items in common.
        rank_biased_overlap: Mean, persistence 0.9.
        n_churned: Users with less than half of their items in common.
        coverage: Different items in each table.
        popularity: Mean count of the recommended items, over the rows of each table: a rise says that the lists moved to more
            popular items.
        n_items_gone: Items of the first table that the second lacks.
        n_items_come: The other way round.
    """

    k: int
    n_users: int
    n_lost: int
    n_new: int
    overlap: float
    rank_biased_overlap: float
    n_churned: int
    coverage: tuple[int, int]
    popularity: tuple[float, float]
    n_items_gone: int
    n_items_come: int


def compare_lists(first: pl.LazyFrame, second: pl.LazyFrame, *, k: int, counts: pl.DataFrame | None = None) -> ListComparison:
    """Compare two tables of user_id, item_id, rank.

    Args:
        first: The older one.
        second: The newer one.
        k: Ranks to look at.
        counts: item_id and count, the train events of each item; the popularity of the rows. Without them an item counts as
            often as it stands in both tables.
    """
    tables = [table.filter(pl.col(RANK) <= k).select(USER_ID, ITEM_ID, RANK).collect() for table in (first, second)]
    users = [table[USER_ID].unique() for table in tables]
    both = users[0].filter(users[0].is_in(users[1].implode())).sort()
    items = pl.concat([table[ITEM_ID] for table in tables]).unique().sort()
    matrices = [_matrix(table, both, items, k) for table in tables]
    similar = [
        (overlap(a, b), rank_biased_overlap(a, b))
        for begin in range(0, len(both), _BLOCK)
        for a, b in [(matrices[0][begin : begin + _BLOCK], matrices[1][begin : begin + _BLOCK])]
    ]
    shared = np.concatenate([each[0] for each in similar]) if similar else np.zeros(0)
    biased = np.concatenate([each[1] for each in similar]) if similar else np.zeros(0)
    if counts is None:
        counts = pl.concat(tables).group_by(ITEM_ID).len(name="count")
    found = [set(table[ITEM_ID].unique()) for table in tables]
    taken = [table.join(counts, on=ITEM_ID, how="left")["count"].fill_null(0).to_numpy() for table in tables]
    popularity = [float(own.mean()) if len(own) else 0.0 for own in taken]
    return ListComparison(
        k=k,
        n_users=len(both),
        n_lost=len(users[0]) - len(both),
        n_new=len(users[1]) - len(both),
        overlap=float(shared.mean()) if len(shared) else 0.0,
        rank_biased_overlap=float(biased.mean()) if len(biased) else 0.0,
        n_churned=int((shared < _CHURNED_UNDER).sum()),
        coverage=(len(found[0]), len(found[1])),
        popularity=(popularity[0], popularity[1]),
        n_items_gone=len(found[0] - found[1]),
        n_items_come=len(found[1] - found[0]),
    )


def _matrix(table: pl.DataFrame, users: pl.Series, items: pl.Series, k: int) -> NDArray[np.int64]:
    """Item numbers by user and rank, -1 where there is none. Shape (B, k)."""
    rows = table.join(pl.DataFrame({USER_ID: users}).with_row_index("row"), on=USER_ID)
    rows = rows.join(pl.DataFrame({ITEM_ID: items}).with_row_index("number"), on=ITEM_ID)
    matrix = np.full((len(users), k), -1, np.int64)
    matrix[rows["row"].to_numpy(), rows[RANK].to_numpy() - 1] = rows["number"].to_numpy()
    return matrix
