"""What `pretrain` and `train` do around a trainer: say how it goes, and write what it came to."""

import time
from dataclasses import asdict
from pathlib import Path

import polars as pl
import torch

from pipelines.stages.stage import S, StageRun
from recsys.core.files import write_atomically, write_json
from recsys.models.checkpoint import write_tensors
from recsys.training.loop import Step, Trainer
from recsys.training.resume import EpochRecord, holds_other_run

_FEW_STEPS = 200


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
                progress = f"epoch {step.epoch}/{n_epochs}  step {step.step}/{step.n_steps}"
                show(step.step, f"{progress}  loss {step.loss:.4f}  {speed:,.0f} tokens/s")

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
