"""From settings and the arrays of `pairs` to a trainer; the stage `train` and `make tune` build it alike."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from pipelines.config import TrainSettings
from pipelines.stage import MANIFEST
from recsys.core.files import hash_packages, read_array, read_json
from recsys.core.random import seed_for
from recsys.models.features import read_item_features, read_user_features
from recsys.models.two_tower import TwoTower, TwoTowerSpec
from recsys.sampling.batches import read_histories
from recsys.training.determinism import make_deterministic
from recsys.training.distributed import Workers
from recsys.training.loop import Trainer
from recsys.training.precision import choose_device, choose_dtype
from recsys.training.settings import TrainingSettings


def prepare_device(settings: TrainSettings) -> torch.device:
    """Set threads and determinism as asked, and choose where to train."""
    if settings.threads is not None:
        torch.set_num_threads(settings.threads)
    if settings.deterministic:
        make_deterministic()
    return choose_device(settings.device)


def build_trainer(
    settings: TrainSettings, *, pairs: Path, checkpoint: Path | None, device: torch.device, workers: Workers
) -> Trainer:
    """Build the towers with seeded weights, and their trainer.

    Args:
        settings: The table `[train]`.
        pairs: The folder of the stage `pairs`.
        checkpoint: Folder for checkpoints; those of other settings, data, code or machines in it are not resumed;
            None keeps none.
        device: Where to train.
        workers: The processes that share the work.
    """
    manifest = read_json(pairs / MANIFEST)
    facts, dtype = manifest["facts"], choose_dtype(settings.precision, device)
    torch.manual_seed(seed_for(settings.seed, "initial weights"))
    spec = build_spec(settings, facts)
    model = TwoTower(spec, item_features=read_item_features(pairs), user_features=read_user_features(pairs))
    where = [workers.n_workers, str(dtype), str(device), torch.__version__, torch.get_num_threads()]
    depends = json.dumps(
        [settings.model_dump(), spec.as_dict(), manifest["outputs"], where, hash_packages("recsys")], sort_keys=True
    )
    return Trainer(
        model.to(device),
        read_histories(pairs),
        log_popularity=read_array(pairs / "log_q.npy"),
        settings=training_settings(settings),
        device=device,
        dtype=dtype,
        checkpoint=checkpoint,
        fingerprint=hashlib.sha256(depends.encode()).hexdigest(),
        workers=workers,
    )


def training_settings(settings: TrainSettings) -> TrainingSettings:
    """What the loop takes of the table `[train]`."""
    return TrainingSettings(**settings.model_dump(include=set(TrainingSettings.__dataclass_fields__)))


def build_spec(settings: TrainSettings, facts: Mapping[str, Any]) -> TwoTowerSpec:
    """The shape of the model, from the table `[train]` and what `pairs` found: n_items, has_time, knows_request_time."""
    own = {
        "n_items": facts["n_items"],
        "use_time": settings.use_time and facts["has_time"],
        # Where nobody will be asked about a known moment, training shows none: past gaps only.
        "request_drop": settings.request_drop if facts["knows_request_time"] else 1.0,
    }
    return TwoTowerSpec(**own, **settings.model_dump(include=set(TwoTowerSpec.__dataclass_fields__) - set(own)))
