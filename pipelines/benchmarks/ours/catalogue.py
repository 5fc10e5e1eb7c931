"""Training with a catalogue of millions of items: sampled softmax, and an id table that is updated row by row.

The job is JSON: `n_items`, `n_users`, `n_events` of each user, and `settings`, the table `[train]`.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from recsys.core.files import write_json
from recsys.features.popularity import log_q
from recsys.models.item_tower import Features
from recsys.sampling.batches import Histories
from recsys.training.build import TrainingData, build_trainer, prepare_machine
from recsys.training.settings import training_settings

_SKEW = 1.1


def train(job: dict[str, Any]) -> dict[str, float]:
    """Train on histories drawn by a power law: `targets_per_second` of training with validation, and both losses."""
    settings, histories = training_settings(job["settings"]), _draw_histories(job)
    data = TrainingData(
        histories=histories,
        item_features=_nothing(job["n_items"]),
        user_features=_nothing(job["n_users"]),
        log_popularity=log_q(np.bincount(histories.item_idx, minlength=job["n_items"])),
        texts=np.zeros((job["n_items"], 1, 0), np.float32),
        has_time=False,
        knows_request_time=False,
    )
    trainer = build_trainer(settings, data, device=prepare_machine(settings.machine))
    began = time.perf_counter()
    records = list(trainer.fit())
    seconds = time.perf_counter() - began
    n_targets = sum(record.n_targets for record in records)
    return {"targets_per_second": n_targets / seconds, "first_loss": records[0].loss, "last_loss": records[-1].loss}


def _draw_histories(job: dict[str, Any]) -> Histories:
    """Every user has as many events, the last of them validation."""
    n_users, n_events = job["n_users"], job["n_events"]
    rng = np.random.default_rng(0)
    item_idx = (job["n_items"] * rng.random(n_users * n_events) ** (1 / (_SKEW - 1))).astype(np.int32)
    offsets = np.arange(0, n_users * n_events + 1, n_events)
    unknown = np.full(n_users, -1, np.int64)
    return Histories(
        item_idx=item_idx,
        timestamp=np.zeros(len(item_idx), np.int64),
        offsets=offsets,
        train_end=offsets[1:] - 1,
        validation_time=unknown,
        request_time=unknown,
    )


def _nothing(n_rows: int) -> Features:
    empty = torch.zeros((n_rows, 0))
    return Features(categories=empty.long(), numbers=empty, text=empty, n_categories=0)


def main() -> None:
    """`python -m pipelines.benchmarks.ours.catalogue JOB RESULT`."""
    write_json(Path(sys.argv[2]), train(json.loads(sys.argv[1])))


if __name__ == "__main__":
    main()
