"""HR@10 and NDCG@10 of a trainer's model on held-out events: all items of train ranked, seen ones removed."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recsys.core.columns import ITEM_ID, ITEM_IDX, USER_ID, USER_IDX
from recsys.data.vocabulary import read_vocabulary
from recsys.metrics.rank import ndcg
from recsys.metrics.relevance import hit_rate
from recsys.retrieval.exact import ExactIndex
from recsys.retrieval.filters import SeenItems
from recsys.training.embedding import embed_items, embed_users
from recsys.training.loop import Trainer

_K = 10
_BATCH_TOKENS = 16_384


def read_targets(pairs: Path, test: Path) -> pl.DataFrame:
    """The held-out events of known users as user_idx and item_idx, null for an item that train does not know."""
    users = read_vocabulary(pairs / "users.parquet", id_column=USER_ID)
    items = read_vocabulary(pairs / "items.parquet", id_column=ITEM_ID)
    events = pl.read_parquet(test, columns=[USER_ID, ITEM_ID])
    events = events.join(users.frame(id_column=USER_ID, idx_column=USER_IDX), on=USER_ID)
    return events.join(items.frame(id_column=ITEM_ID, idx_column=ITEM_IDX), on=ITEM_ID, how="left")


def judge(trainer: Trainer, targets: pl.DataFrame) -> dict[str, float]:
    """Means over held-out events, one a user, asked at the time of the request where that is known; an unknown item is a miss.

    Args:
        trainer: Its model as it is.
        targets: From `read_targets`.

    Returns:
        `hr` and `ndcg`.
    """
    return {name: float(values.mean()) for name, values in judge_each(trainer, targets).items()}


def judge_each(trainer: Trainer, targets: pl.DataFrame) -> dict[str, NDArray[np.float64]]:
    """The same event by event: `hr` and `ndcg`, each of shape (E,)."""
    where: dict[str, Any] = {"device": trainer.device, "dtype": trainer.dtype}
    histories, users = trainer.histories, targets[USER_IDX].to_numpy()
    queries = embed_users(trainer.model, histories, users, held_out="test", batch_tokens=_BATCH_TOKENS, **where)
    seen = SeenItems(item_idx=histories.item_idx, starts=histories.offsets[users], ends=histories.offsets[users + 1])
    items = ExactIndex(embed_items(trainer.model, **where), device=str(trainer.device))
    wanted = targets[ITEM_IDX].fill_null(-2).to_numpy()
    hits = items.search(queries, k=_K, seen=seen).item_idx == wanted[:, None]
    one = np.ones(len(hits), np.int64)
    return {"hr": hit_rate(hits, one, k=_K), "ndcg": ndcg(hits, one, k=_K)}
