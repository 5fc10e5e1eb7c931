"""HR@10 and NDCG@10 of a trainer's model on held-out test events: all items of train ranked, seen ones removed."""

from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recsys.core.columns import ITEM_ID, ITEM_IDX, USER_ID, USER_IDX
from recsys.data.vocabulary import read_vocabulary
from recsys.training.loop import Trainer
from recsys.training.validation import judge_test


def read_targets(pairs: Path, test: Path) -> pl.DataFrame:
    """The held-out events of known users as user_idx and item_idx, null for an item that train does not know."""
    users = read_vocabulary(pairs / "users.parquet", id_column=USER_ID)
    items = read_vocabulary(pairs / "items.parquet", id_column=ITEM_ID)
    events = pl.read_parquet(test, columns=[USER_ID, ITEM_ID])
    events = events.join(users.frame(id_column=USER_ID, idx_column=USER_IDX), on=USER_ID)
    return events.join(items.frame(id_column=ITEM_ID, idx_column=ITEM_IDX), on=ITEM_ID, how="left")


def judge_each(trainer: Trainer, targets: pl.DataFrame, *, k: int = 10) -> dict[str, NDArray[np.float64]]:
    """Event by event: `hr` and `ndcg`, each of shape (E,); an unknown item is a miss.

    Args:
        trainer: Its model as it is.
        targets: From `read_targets`.
        k: Length of the lists.
    """
    item = targets[ITEM_IDX].fill_null(-1).to_numpy()
    users = targets[USER_IDX].to_numpy()
    return judge_test(trainer.model, trainer.histories, users, item, device=trainer.device, dtype=trainer.dtype, k=k)


def judge(trainer: Trainer, targets: pl.DataFrame, *, k: int = 10) -> dict[str, float]:
    """Means over held-out events: `hr` and `ndcg`."""
    return {name: float(values.mean()) for name, values in judge_each(trainer, targets, k=k).items()}
