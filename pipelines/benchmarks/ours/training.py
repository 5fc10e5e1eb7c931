"""Our training, epoch by epoch.

The job is JSON: `pairs`, the folder of that stage, and `settings`, the table `[train]`. With `test` beside them, a Parquet
file of held-out events, each epoch is judged by HR@10 over all items of train, seen ones removed.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.config import TrainSettings
from pipelines.trainer import build_trainer, prepare_device
from recsys.core.columns import ITEM_ID, ITEM_IDX, USER_ID, USER_IDX
from recsys.core.files import write_json
from recsys.data.vocabulary import read_vocabulary
from recsys.retrieval.exact import ExactIndex
from recsys.retrieval.filters import SeenItems
from recsys.training.distributed import Workers
from recsys.training.embedding import embed_items, embed_users
from recsys.training.loop import Step, Trainer

_K = 10
_BATCH_TOKENS = 16_384


def train(job: dict[str, Any]) -> list[dict[str, float]]:
    """One record an epoch: `seconds` of training alone, `n_targets` and, if asked, `hr`."""
    pairs = Path(job["pairs"])
    settings = TrainSettings.model_validate(job["settings"])
    trainer = build_trainer(settings, pairs=pairs, checkpoint=None, device=prepare_device(settings), workers=Workers())
    epochs: list[dict[str, float]] = []
    began = ended = time.perf_counter()

    def on_step(_: Step) -> None:
        nonlocal ended
        ended = time.perf_counter()

    for record in trainer.fit(on_step=on_step):
        epochs.append({"seconds": ended - began, "n_targets": record.n_targets})
        if "test" in job:
            epochs[-1]["hr"] = _hit_rate(trainer, _read_targets(pairs, Path(job["test"])))
        print(epochs[-1], flush=True)
        began = time.perf_counter()
    return epochs


def _read_targets(pairs: Path, test: Path) -> pl.DataFrame:
    """The held-out events of known users as user_idx and item_idx, null for an item that train does not know."""
    users = read_vocabulary(pairs / "users.parquet", id_column=USER_ID)
    items = read_vocabulary(pairs / "items.parquet", id_column=ITEM_ID)
    events = pl.read_parquet(test, columns=[USER_ID, ITEM_ID])
    events = events.join(users.frame(id_column=USER_ID, idx_column=USER_IDX), on=USER_ID)
    return events.join(items.frame(id_column=ITEM_ID, idx_column=ITEM_IDX), on=ITEM_ID, how="left")


def _hit_rate(trainer: Trainer, targets: pl.DataFrame) -> float:
    """Share of the held-out events among the ten best new items of their users, asked at the time of the request."""
    where: dict[str, Any] = {"device": trainer.device, "dtype": trainer.dtype}
    histories, users = trainer.histories, targets[USER_IDX].to_numpy()
    queries = embed_users(trainer.model, histories, users, held_out="test", batch_tokens=_BATCH_TOKENS, **where)
    seen = SeenItems(item_idx=histories.item_idx, starts=histories.offsets[users], ends=histories.offsets[users + 1])
    items = ExactIndex(embed_items(trainer.model, **where), device=str(trainer.device))
    found = items.search(queries, k=_K, seen=seen)
    wanted: NDArray[np.int32] = targets[ITEM_IDX].fill_null(-2).to_numpy()
    return float((found.item_idx == wanted[:, None]).any(1).mean())


def main() -> None:
    """`python -m pipelines.benchmarks.ours.training JOB RESULT`."""
    write_json(Path(sys.argv[2]), {"epochs": train(json.loads(sys.argv[1]))})


if __name__ == "__main__":
    main()
