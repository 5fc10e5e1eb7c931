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

from pipelines.trainer import build_spec, prepare_device, training_settings
from pipelines.training_config import TrainSettings
from recsys.core.files import write_json
from recsys.models.item_tower import Features
from recsys.models.two_tower import TwoTower
from recsys.sampling.batches import Histories
from recsys.sampling.popularity import log_q
from recsys.training.loop import Trainer
from recsys.training.precision import choose_dtype

_SKEW = 1.1


def train(job: dict[str, Any]) -> dict[str, float]:
    """Train on histories drawn by a power law: `targets_per_second` of training with validation, and both losses."""
    settings = TrainSettings.model_validate(job["settings"])
    device, histories = prepare_device(settings), _draw_histories(job)
    facts = {"n_items": job["n_items"], "has_time": False, "knows_request_time": False, "search_dim": 0}
    spec = build_spec(settings, facts)
    model = TwoTower(spec, item_features=_nothing(job["n_items"]), user_features=_nothing(job["n_users"]))
    trainer = Trainer(
        model.to(device),
        histories,
        log_popularity=log_q(np.bincount(histories.item_idx, minlength=job["n_items"])),
        settings=training_settings(settings),
        device=device,
        dtype=choose_dtype(settings.precision, device),
    )
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
