"""train: histories to a two-tower model: `model.safetensors`, `spec.json`, `epochs.parquet`, `checkpoint/`.

Under `torchrun --nproc-per-node 2 -m pipelines.train artifacts/<profile>` the processes share every batch.
"""

import os
import time
from dataclasses import asdict

import polars as pl
import torch

from pipelines.config import TrainSettings
from pipelines.stage import StageRun, run_stage
from pipelines.trainer import build_trainer, prepare_device
from recsys.core.files import write_atomically, write_json
from recsys.models.checkpoint import write_tensors
from recsys.training.distributed import join_workers
from recsys.training.loop import Step, Trainer
from recsys.training.resume import EpochRecord, holds_other_run

_SAMPLED_ONLY = ("n_popular", "n_hard", "corrected_positive")


def work(stage: StageRun[TrainSettings]) -> None:
    """Train until validation stops getting better, and keep the best epoch; without validation, train all and keep the last."""
    settings = stage.settings
    device = prepare_device(settings)
    with join_workers(device) as workers:
        checkpoint = stage.folder / "checkpoint"
        trainer = build_trainer(settings, pairs=stage.read("pairs"), checkpoint=checkpoint, device=device, workers=workers)
        if workers.is_main and holds_other_run(checkpoint, fingerprint=trainer.fingerprint):
            stage.say("the checkpoint is of other settings, data, code, threads or processes: training starts over")
        records = _fit(stage, trainer)
        if not workers.is_main:
            return
        write_tensors(stage.folder / "model.safetensors", trainer.model.state_dict())
    write_json(stage.folder / "spec.json", trainer.model.spec.as_dict())
    with write_atomically(stage.folder / "epochs.parquet") as partial:
        table = [asdict(record) for record in records]
        pl.DataFrame(table, schema_overrides={"validation_ndcg": pl.Float64}).write_parquet(partial)
    best = next(record for record in reversed(records) if record.is_best)
    stage.facts |= {
        "n_parameters": sum(parameter.numel() for parameter in trainer.model.parameters()),
        "n_epochs": len(records),
        "best_epoch": best.epoch,
        "epoch": _explain_epoch(best, len(records), has_validation=stage.facts_of("pairs")["n_validation"] > 0),
        "validation_ndcg@10": best.validation_ndcg,
        "n_validation_users": len(trainer.validation_users),
        "loss": "full softmax" if trainer.objective.is_full else "sampled softmax",
        "device": str(device),
        "precision": str(trainer.dtype).removeprefix("torch."),
        "threads": torch.get_num_threads(),
        "spin_count": os.environ.get("GOMP_SPINCOUNT", "the default of OpenMP"),
        "n_workers": workers.n_workers,
        "n_pairs": stage.facts_of("pairs")["n_train"],
    }
    if trainer.objective.is_full and (idle := [name for name in _SAMPLED_ONLY if getattr(settings, name)]):
        stage.say(f"the full softmax has no negatives to choose: {', '.join(idle)} did nothing")
    stage.say(stage.facts["epoch"])


def _explain_epoch(best: EpochRecord, n_epochs: int, *, has_validation: bool) -> str:
    if best.validation_ndcg is None:
        why = "no validation event can be judged" if has_validation else "no validation part"
        return f"{why}: trained for {n_epochs} epochs, the last is kept"
    return f"epoch {best.epoch} of {n_epochs} is kept, the best on validation: NDCG@10 {best.validation_ndcg:.4f}"


def _fit(stage: StageRun[TrainSettings], trainer: Trainer) -> list[EpochRecord]:
    speaks = trainer.workers.is_main
    if speaks:
        loss = "full" if trainer.objective.is_full else "sampled"
        stage.say(
            f"{trainer.model.spec.n_items:,} items by {loss} softmax on {trainer.device}, "
            f"{str(trainer.dtype).removeprefix('torch.')}, {torch.get_num_threads()} threads"
        )
    began = time.perf_counter()
    with stage.progress("training", None) as show:

        def on_step(step: Step) -> None:
            if speaks:
                speed = step.n_targets / max(time.perf_counter() - began, 1e-9)
                place = f"epoch {step.epoch}/{stage.settings.n_epochs}  step {step.step}/{step.n_steps}"
                show(step.step, f"{place}  loss {step.loss:.4f}  {speed:,.0f} tokens/s")

        for record in trainer.fit(on_step=on_step):
            seconds, began = time.perf_counter() - began, time.perf_counter()
            if speaks:
                speed = "from the checkpoint" if seconds < 1e-2 else f"{record.n_targets / seconds:,.0f} tokens/s"
                stage.say(f"epoch {record.epoch:3d}  loss {record.loss:.4f}{_show_validation(record)}  {speed}")
    return trainer.records


def _show_validation(record: EpochRecord) -> str:
    if record.validation_ndcg is None:
        return ""
    return f"  validation NDCG@10 {record.validation_ndcg:.4f}{' *' if record.is_best else '  '}"


def main() -> None:
    """`python -m pipelines.train artifacts/<profile>`."""
    run_stage("train", TrainSettings, work, keep="checkpoint", is_main=os.environ.get("RANK", "0") == "0")


if __name__ == "__main__":
    main()
