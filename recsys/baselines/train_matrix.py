"""What every baseline starts from: all events before the request, as a sparse matrix and in their order."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from recsys.core.columns import ITEM_ID, ITEM_IDX, TIMESTAMP, USER_ID, USER_IDX
from recsys.data.vocabulary import Vocabulary, fit_users, fit_vocabulary


@dataclass(frozen=True, slots=True, kw_only=True)
class UserItems:
    """Which user has taken which item, and how long ago: all that a fitted baseline needs of the events.

    Attributes:
        history: Shape (U, I), 1 where the user has taken the item.
        age: Shape (U, I), with the same entries: how many of the user's events are later than the last with the item.
    """

    history: csr_matrix
    age: csr_matrix

    @property
    def n_items(self) -> int:
        """I."""
        return int(self.history.shape[1])

    def items_of(self, user: int) -> NDArray[np.int32]:
        """What one user has taken."""
        return np.asarray(self.history.indices[self.history.indptr[user] : self.history.indptr[user + 1]])

    def weights(self, half_life: float | None) -> csr_matrix:
        """The history with entries that halve with each `half_life` later events; all 1 if it is None. Shape (U, I)."""
        if half_life is None:
            return self.history
        decayed = np.exp2(-self.age.data / half_life).astype(np.float32)
        return csr_matrix((decayed, self.age.indices, self.age.indptr), shape=self.age.shape)

    def popularity(self) -> NDArray[np.float64]:
        """How many users have taken each item. Shape (I,)."""
        return np.bincount(self.history.indices, minlength=self.n_items).astype(np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineData:
    """What a baseline may know: the events before the request, to fit on and to score with.

    Attributes:
        users: The users with a history on items of train.
        items: The items of train.
        taken: Which of them has taken which item.
        item_idx: Shape (E,) int64, the items of all events, those of one user together and oldest first.
        time: Shape (E,) int64, microseconds since 1970.
        offsets: Shape (U + 1,) int64: a user's events are `offsets[u]:offsets[u + 1]`.
    """

    users: Vocabulary
    items: Vocabulary
    taken: UserItems
    item_idx: NDArray[np.int64]
    time: NDArray[np.int64]
    offsets: NDArray[np.int64]

    @property
    def user_idx(self) -> NDArray[np.int64]:
        """Whose each event is. Shape (E,)."""
        return np.repeat(np.arange(len(self.users)), np.diff(self.offsets))

    @property
    def moment(self) -> NDArray[np.int64]:
        """The number of each event's moment, of one user and time, among those of all users. Shape (E,)."""
        user, is_new = self.user_idx, np.ones(len(self.time), bool)
        is_new[1:] = (user[1:] != user[:-1]) | (self.time[1:] != self.time[:-1])
        return np.cumsum(is_new) - 1

    @property
    def last_item(self) -> NDArray[np.int64]:
        """The last item of each user. Shape (U,)."""
        return self.item_idx[self.offsets[1:] - 1]

    @property
    def n_items(self) -> int:
        """I."""
        return len(self.items)


def build_baseline_data(train: pl.DataFrame, validation: pl.DataFrame) -> BaselineData:
    """Lay out the events of both parts on items that train knows.

    Args:
        train: user_id, item_id, timestamp, sorted by user and time.
        validation: Likewise; every event is later in its user's history. Without rows, train is all that is known.
    """
    users, items = fit_users(train, validation), fit_vocabulary(train[ITEM_ID])
    events = (
        pl.concat([part.select(USER_ID, ITEM_ID, TIMESTAMP) for part in (train, validation)])
        .join(users.frame(id_column=USER_ID, idx_column=USER_IDX), on=USER_ID, maintain_order="left")
        .join(items.frame(id_column=ITEM_ID, idx_column=ITEM_IDX), on=ITEM_ID, maintain_order="left")
        .select(pl.col(USER_IDX, ITEM_IDX).cast(pl.Int64), pl.col(TIMESTAMP).dt.epoch("us"))
        .sort(USER_IDX, TIMESTAMP, maintain_order=True)
    )
    later = pl.len().over(USER_IDX) - pl.col(TIMESTAMP).rank("max").over(USER_IDX)
    ages = events.with_columns(age=later).group_by(USER_IDX, ITEM_IDX).agg(pl.col("age").min()).sort(USER_IDX, ITEM_IDX)
    shape, cell = (len(users), len(items)), (ages[USER_IDX].to_numpy(), ages[ITEM_IDX].to_numpy())
    counts = np.bincount(events[USER_IDX].to_numpy(), minlength=len(users))
    age = csr_matrix((ages["age"].to_numpy().astype(np.float32) + 1, cell), shape=shape)  # no entry of 0 may get lost
    age.data -= 1
    return BaselineData(
        users=users,
        items=items,
        taken=UserItems(history=csr_matrix((np.ones(ages.height, np.float32), age.indices, age.indptr), shape=shape), age=age),
        item_idx=events[ITEM_IDX].to_numpy(),
        time=events[TIMESTAMP].to_numpy(),
        offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
    )
