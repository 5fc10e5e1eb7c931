"""From settings and the arrays of `pairs` to a trainer at work; `pretrain`, `train` and `make tune` build it alike."""

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from pipelines.augmenter import build_augmenter
from pipelines.stage import MANIFEST, S, StageRun
from pipelines.training_config import TrainSettings
from recsys.core.files import hash_packages, read_array, read_json, write_atomically, write_json
from recsys.core.random import seed_for
from recsys.models.checkpoint import read_tensors, start_from, write_tensors
from recsys.models.features import read_item_features, read_user_features
from recsys.models.two_tower import TwoTower, TwoTowerSpec
from recsys.sampling.batches import read_histories
from recsys.training.determinism import make_deterministic
from recsys.training.distributed import Workers
from recsys.training.loop import Step, Trainer
from recsys.training.precision import choose_device, choose_dtype
from recsys.training.resume import EpochRecord, holds_other_run
from recsys.training.settings import ContrastTerms, TrainingSettings

_FEW_STEPS = 200
_UNKNOWN_DROP = 0.5


def prepare_device(settings: TrainSettings) -> torch.device:
    """Set threads and determinism as asked, and choose where to train."""
    if settings.threads is not None:
        torch.set_num_threads(settings.threads)
    if settings.deterministic:
        make_deterministic()
    return choose_device(settings.device)


def build_trainer(
    settings: TrainSettings,
    *,
    pairs: Path,
    checkpoint: Path | None,
    device: torch.device,
    workers: Workers,
    start: Path | None = None,
    has_labels: bool = True,
    is_learned: NDArray[np.bool_] | None = None,
) -> Trainer:
    """Build the towers with seeded weights, and their trainer.

    Args:
        settings: The table `[train]`.
        pairs: The folder of the stage `pairs`.
        checkpoint: Folder for checkpoints; those of other settings, data, code or machines in it are not resumed;
            None keeps none.
        device: Where to train.
        workers: The processes that share the work.
        start: The folder of a stage whose weights are where training starts; None starts at random ones.
        has_labels: Whether next items are learned; else views alone.
        is_learned: Shape (U,), whose next items are learned; None for all users.
    """
    manifest = read_json(pairs / MANIFEST)
    facts, dtype = manifest["facts"], choose_dtype(settings.precision, device)
    torch.manual_seed(seed_for(settings.seed, "initial weights"))
    spec = build_spec(settings, facts)
    model = TwoTower(spec, item_features=read_item_features(pairs), user_features=read_user_features(pairs))
    beginning = None
    if start is not None:
        start_from(model, read_tensors(start / "model.safetensors"), optional="view_head.")
        beginning = read_json(start / MANIFEST)["outputs"]["model.safetensors"]
    where = [workers.n_workers, str(dtype), str(device), torch.__version__, torch.get_num_threads()]
    learned = [has_labels, None if is_learned is None else hashlib.sha256(is_learned.tobytes()).hexdigest()]
    depends = json.dumps(
        [settings.model_dump(), spec.as_dict(), manifest["outputs"], beginning, learned, where, hash_packages("recsys")],
        sort_keys=True,
    )
    histories = replace(read_histories(pairs), is_learned=is_learned)
    return Trainer(
        model.to(device),
        histories,
        log_popularity=read_array(pairs / "log_q.npy"),
        settings=training_settings(settings, has_labels=has_labels),
        device=device,
        dtype=dtype,
        checkpoint=checkpoint,
        fingerprint=hashlib.sha256(depends.encode()).hexdigest(),
        workers=workers,
        texts=read_array(pairs / "search_text.npy") if settings.text_weight else None,
        augmenter=build_augmenter(settings, histories, n_items=spec.n_items, most=spec.history_length)
        if settings.view_weight
        else None,
    )


def training_settings(settings: TrainSettings, *, has_labels: bool = True) -> TrainingSettings:
    """What the loop takes of the table `[train]`."""
    contrast = ContrastTerms(
        next_item_weight=1.0 if has_labels else 0.0,
        **settings.model_dump(
            include={"view_weight", "view_scale", "item_view_weight", "text_weight", "queue_size", "momentum"}
        ),
    )
    own = settings.model_dump(include=set(TrainingSettings.__dataclass_fields__))
    return TrainingSettings(**own, contrast=contrast)


def build_spec(settings: TrainSettings, facts: Mapping[str, Any]) -> TwoTowerSpec:
    """The shape of the model, from the table `[train]` and what `pairs` found."""
    own = {
        "n_items": facts["n_items"],
        "use_time": settings.use_time and facts["has_time"],
        # Where nobody will be asked about a known moment, training shows one half of the time: better than never.
        "request_drop": settings.request_drop if facts["knows_request_time"] else max(settings.request_drop, _UNKNOWN_DROP),
        "has_view_head": settings.view_weight > 0,
        "search_dim": facts["search_dim"],
    }
    return TwoTowerSpec(**own, **settings.model_dump(include=set(TwoTowerSpec.__dataclass_fields__) - set(own)))


def fit(stage: StageRun[S], trainer: Trainer, *, n_epochs: int) -> list[EpochRecord]:
    """Train to the end, and say after each epoch how it went.

    Args:
        stage: Whose progress it is.
        trainer: Built by `build_trainer`.
        n_epochs: At most so many.
    """
    speaks = trainer.workers.is_main
    if speaks:
        if trainer.checkpoint is not None and holds_other_run(trainer.checkpoint, fingerprint=trainer.fingerprint):
            stage.say("the checkpoint is of other settings, data, code, threads or processes: training starts over")
        stage.say(
            f"{trainer.model.spec.n_items:,} items, {trainer.objective.in_words()}, on {trainer.device}, "
            f"{str(trainer.dtype).removeprefix('torch.')}, {torch.get_num_threads()} threads"
        )
    began, n_steps = time.perf_counter(), 0
    with stage.progress("training", None) as show:

        def on_step(step: Step) -> None:
            nonlocal n_steps
            n_steps += 1
            if speaks:
                speed = step.n_targets / max(time.perf_counter() - began, 1e-9)
                place = f"epoch {step.epoch}/{n_epochs}  step {step.step}/{step.n_steps}"
                show(step.step, f"{place}  loss {step.loss:.4f}  {speed:,.0f} tokens/s")

        for record in trainer.fit(on_step=on_step):
            seconds, began = time.perf_counter() - began, time.perf_counter()
            if speaks and record.epoch == 1 and record.n_steps * n_epochs < _FEW_STEPS:
                stage.say(
                    f"only {record.n_steps * n_epochs:,} steps in all: lower batch_tokens or raise n_epochs for a short log"
                )
            if speaks:
                speed = f"{record.n_targets / seconds:,.0f} tokens/s" if n_steps else "from the checkpoint"
                stage.say(f"epoch {record.epoch:3d}  loss {record.loss:.4f}{_show_validation(record)}  {speed}")
            n_steps = 0
    return trainer.records


def _show_validation(record: EpochRecord) -> str:
    if record.validation_ndcg is None:
        return ""
    return f"  validation NDCG@10 {record.validation_ndcg:.4f}{' *' if record.is_best else '  '}"


def write_towers(folder: Path, trainer: Trainer) -> None:
    """Write what training came to: `model.safetensors`, `spec.json` and `epochs.parquet`."""
    write_tensors(folder / "model.safetensors", trainer.model.state_dict())
    write_json(folder / "spec.json", trainer.model.spec.as_dict())
    with write_atomically(folder / "epochs.parquet") as partial:
        table = [asdict(record) for record in trainer.records]
        pl.DataFrame(table, schema_overrides={"validation_ndcg": pl.Float64}).write_parquet(partial)
