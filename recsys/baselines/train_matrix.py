"""The training log as a sparse matrix, and what every baseline starts from."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from recsys.core.columns import ITEM_ID, ITEM_IDX, TIMESTAMP, USER_ID, USER_IDX
from recsys.data.vocabulary import Vocabulary, fit_users, fit_vocabulary


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineData:
    """What a baseline may know: train to fit on, and each user's history up to the request to score with.

    Attributes:
        users: The users with a history on items of train.
        items: The items of train.
        train: Shape (U, I), 1 where the user has a train event with the item.
        history: Shape (U, I), the same with the validation events that come before the request.
        item_times: Shape (E, 2) int64: item idx and microseconds since 1970 of each train event.
    """

    users: Vocabulary
    items: Vocabulary
    train: csr_matrix
    history: csr_matrix
    item_times: NDArray[np.int64]


def build_baseline_data(train: pl.DataFrame, validation: pl.DataFrame) -> BaselineData:
    """Fit vocabularies on train and lay out both parts; validation events of unknown users or items are left out."""
    users, items = fit_users(train, validation), fit_vocabulary(train[ITEM_ID])
    placed = [
        part.select(USER_ID, ITEM_ID, TIMESTAMP)
        .join(users.frame(id_column=USER_ID, idx_column=USER_IDX), on=USER_ID)
        .join(items.frame(id_column=ITEM_ID, idx_column=ITEM_IDX), on=ITEM_ID)
        for part in (train, validation)
    ]
    shape = (len(users), len(items))
    times = placed[0].select(pl.col(ITEM_IDX).cast(pl.Int64), pl.col(TIMESTAMP).dt.epoch("us"))
    return BaselineData(
        users=users,
        items=items,
        train=_binary(placed[0], shape),
        history=_binary(pl.concat(placed), shape),
        item_times=times.to_numpy(),
    )


def _binary(events: pl.DataFrame, shape: tuple[int, int]) -> csr_matrix:
    pairs = events.select(USER_IDX, ITEM_IDX).unique().sort(USER_IDX, ITEM_IDX)
    ones = np.ones(pairs.height, np.float32)
    return csr_matrix((ones, (pairs[USER_IDX].to_numpy(), pairs[ITEM_IDX].to_numpy())), shape=shape)
