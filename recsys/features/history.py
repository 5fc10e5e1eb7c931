"""Every history as flat arrays that training memory-maps: no padding, no Python objects."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recsys.core.columns import ITEM_ID, ITEM_IDX, TIMESTAMP, USER_ID, USER_IDX
from recsys.core.files import write_array
from recsys.data.vocabulary import Vocabulary

IntArray = NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class FlatHistories:
    """The histories of all users, one after the other in the order of user_idx, oldest event first.

    A user's events are `offsets[u]:offsets[u + 1]`; the first of them, up to `train_end[u]`, are train, the rest
    validation. Test events are nowhere in here.

    Attributes:
        item_idx: Shape (E,) int32, E events.
        timestamp: Shape (E,) int64, seconds since 1970.
        offsets: Shape (U + 1,) int64.
        train_end: Shape (U,) int64, positions in `item_idx`.
        validation_time: Shape (U,) int64, seconds since 1970 at which validation asks; -1 if unknown.
        request_time: Shape (U,) int64, seconds since 1970 at which candidates are asked for; -1 if unknown.
        moment: Shape (E,) int32, the number of each event's moment in its user's history, where events of one moment are a
            set; None where each event is a moment of its own.
    """

    item_idx: IntArray
    timestamp: IntArray
    offsets: IntArray
    train_end: IntArray
    validation_time: IntArray
    request_time: IntArray
    moment: IntArray | None

    def write(self, folder: Path) -> None:
        """Write each array that is there as `<name>.npy`."""
        for name in ("item_idx", "timestamp", "offsets", "train_end", "validation_time", "request_time"):
            write_array(folder / f"{name}.npy", getattr(self, name))
        if self.moment is not None:
            write_array(folder / "moment.npy", self.moment)


def build_histories(
    train: pl.DataFrame,
    validation: pl.DataFrame,
    *,
    users: Vocabulary,
    items: Vocabulary,
    request_times: pl.DataFrame,
    are_sets: bool = False,
) -> tuple[FlatHistories, int]:
    """Lay out train and validation events of known users and items; users without a train event have validation only.

    Args:
        train: user_id, item_id, timestamp, sorted by user and time.
        validation: Likewise.
        users: Fitted on train.
        items: Fitted on train.
        request_times: user_id, validation_time and request_time (int64 seconds); users without a row get -1.
        are_sets: Whether a user's events of one time have no order.

    Returns:
        The arrays, and how many validation events were dropped because their user or item is unknown to train.
    """
    parts = [
        part.select(USER_ID, ITEM_ID, TIMESTAMP).with_columns(part=pl.lit(number))
        for number, part in enumerate((train, validation))
    ]
    known = (
        pl.concat(parts)
        .join(users.frame(id_column=USER_ID, idx_column=USER_IDX), on=USER_ID, maintain_order="left")
        .join(items.frame(id_column=ITEM_ID, idx_column=ITEM_IDX), on=ITEM_ID, maintain_order="left")
        .sort(USER_IDX, "part", TIMESTAMP, maintain_order=True)
    )
    lengths = np.bincount(known[USER_IDX].to_numpy(), minlength=len(users))
    n_train = np.bincount(known.filter(pl.col("part") == 0)[USER_IDX].to_numpy(), minlength=len(users))
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    asked = users.frame(id_column=USER_ID, idx_column=USER_IDX).join(
        request_times, on=USER_ID, how="left", maintain_order="left"
    )
    histories = FlatHistories(
        item_idx=known[ITEM_IDX].to_numpy().astype(np.int32),
        timestamp=known[TIMESTAMP].dt.epoch("s").to_numpy().astype(np.int64),
        offsets=offsets,
        train_end=offsets[:-1] + n_train,
        validation_time=asked["validation_time"].fill_null(-1).to_numpy().astype(np.int64),
        request_time=asked["request_time"].fill_null(-1).to_numpy().astype(np.int64),
        moment=_moments(known) if are_sets else None,
    )
    return histories, sum(part.height for part in parts) - known.height


def _moments(known: pl.DataFrame) -> IntArray:
    """The number of each event's moment among those of its user, from 0."""
    is_new = pl.col(TIMESTAMP) != pl.col(TIMESTAMP).shift(fill_value=None)
    number = is_new.fill_null(False).cast(pl.Int32).cum_sum().over(USER_IDX)
    return known.select(moment=number)["moment"].to_numpy().astype(np.int32)
