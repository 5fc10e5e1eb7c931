"""From settings and arrays to a trainer at work: `pretrain`, `train`, `tune`, `study` and the Python door build it alike."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from recsys.core.code import hash_code
from recsys.core.facts import read_facts
from recsys.core.files import MANIFEST, read_array, read_json
from recsys.core.random import seed_for
from recsys.features.facts import PairsFacts
from recsys.inference.precision import choose_device, choose_dtype
from recsys.models.checkpoint import start_from
from recsys.models.features import read_item_features, read_user_features
from recsys.models.item_tower import Features
from recsys.models.two_tower import TwoTower, TwoTowerSpec, build_spec
from recsys.objectives.workers import Workers
from recsys.sampling.batches import Histories, read_histories
from recsys.training.determinism import make_deterministic
from recsys.training.loop import Trainer
from recsys.training.settings import MachineSettings, TrainingSettings

_UNKNOWN_DROP = 0.5


@dataclass(frozen=True, kw_only=True)
class TrainingData:
    """What training reads.

    Attributes:
        histories: All users.
        item_features: Of all items.
        user_features: Of all users.
        log_popularity: Shape (I,), log of each item's share of train events.
        texts: Shape (I, C, T), text vectors that items are searched by; T is 0 where there are none.
        has_time: Whether timestamps are times, or the order only.
        knows_request_time: Whether it is known when users will be asked about.
        digest: Of all of this, by which checkpoints are told apart.
    """

    histories: Histories
    item_features: Features
    user_features: Features
    log_popularity: NDArray[np.float32]
    texts: NDArray[np.float32]
    has_time: bool
    knows_request_time: bool
    digest: str = ""


def read_training_data(pairs: Path) -> TrainingData:
    """Memory-map what the stage `pairs` wrote."""
    facts = read_facts(pairs, PairsFacts)
    return TrainingData(
        histories=read_histories(pairs),
        item_features=read_item_features(pairs),
        user_features=read_user_features(pairs),
        log_popularity=read_array(pairs / "log_q.npy"),
        texts=read_array(pairs / "search_text.npy"),
        has_time=facts.has_time,
        knows_request_time=facts.knows_request_time,
        digest=json.dumps(read_json(pairs / MANIFEST)["outputs"], sort_keys=True),
    )


def prepare_machine(machine: MachineSettings) -> torch.device:
    """Set threads and determinism as asked, and choose where to train."""
    if machine.threads is not None:
        torch.set_num_threads(machine.threads)
    if machine.deterministic:
        make_deterministic()
    return choose_device(machine.device)


def build_trainer(
    settings: TrainingSettings,
    data: TrainingData,
    *,
    device: torch.device,
    checkpoint: Path | None = None,
    workers: Workers | None = None,
    start: Mapping[str, torch.Tensor] | None = None,
    is_learned: NDArray[np.bool_] | None = None,
) -> Trainer:
    """Build the towers with seeded weights, and their trainer.

    Args:
        settings: All settings.
        data: What training reads.
        device: Where to train.
        checkpoint: Folder for checkpoints; those of other settings, data, code or machines in it are not resumed;
            None keeps none.
        workers: The processes that share the work.
        start: Weights to start from, by name; None starts at random ones.
        is_learned: Shape (U,), whose next items are learned; None for all users.
    """
    workers = workers or Workers()
    dtype = choose_dtype(settings.machine.precision, device)
    torch.manual_seed(seed_for(settings.loop.seed, "initial weights"))
    spec = shape_of(settings, data)
    model = TwoTower(spec, item_features=data.item_features, user_features=data.user_features)
    if start is not None:
        start_from(model, start, optional="view_head.")
    fingerprint = ""
    if checkpoint is not None:
        where = [workers.n_workers, str(dtype), str(device), torch.__version__, torch.get_num_threads()]
        learned = None if is_learned is None else hashlib.sha256(is_learned.tobytes()).hexdigest()
        beginning = None if start is None else _hash_tensors(start)
        depends = [settings.as_table(), spec.as_dict(), settings.has_labels, data.digest, beginning, learned, where]
        fingerprint = hashlib.sha256(json.dumps([*depends, code_of_training()], sort_keys=True).encode()).hexdigest()
    return Trainer(
        model.to(device),
        replace(data.histories, is_learned=is_learned),
        log_popularity=data.log_popularity,
        settings=settings,
        device=device,
        dtype=dtype,
        checkpoint=checkpoint,
        fingerprint=fingerprint,
        workers=workers,
        texts=data.texts if data.texts.shape[2] else None,
    )


def shape_of(settings: TrainingSettings, data: TrainingData) -> TwoTowerSpec:
    """The shape of the model, from the settings and what is known of the data."""
    values: dict[str, Any] = dict(settings.values)
    values["use_time"] = values["use_time"] and data.has_time
    if not data.knows_request_time:
        # Where nobody will be asked about a known moment, training shows one half of the time: better than never.
        values["request_drop"] = max(values["request_drop"], _UNKNOWN_DROP)
    return build_spec(
        values,
        n_items=len(data.log_popularity),
        has_view_head=settings.needs_view_head,
        search_dim=data.texts.shape[2],
    )


def code_of_training() -> str:
    """One hash of the code that a training reads, and of no other."""
    return hash_code(__name__)


def _hash_tensors(tensors: Mapping[str, torch.Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(name.encode() + tensors[name].detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
