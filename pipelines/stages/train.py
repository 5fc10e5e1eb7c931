"""train: histories to a two-tower model: `model.safetensors`, `spec.json`, `epochs.parquet`, `checkpoint/`.

Under `torchrun --nproc-per-node 2 -m pipelines.stages.train artifacts/<profile>` the processes share every batch.
"""

import os

import numpy as np
import torch

from pipelines.settings.train import read_train
from pipelines.stages.stage import Stage, StageRun
from pipelines.stages.training import fit, write_towers
from recsys.core.files import read_array, read_json
from recsys.index.nearest import check_list_length
from recsys.inference.embedding import embed_items
from recsys.models.checkpoint import read_tensors
from recsys.objectives.workers import join_workers
from recsys.training.build import build_trainer, prepare_machine, read_training_data
from recsys.training.loop import Trainer
from recsys.training.resume import EpochRecord
from recsys.training.settings import TrainingSettings
from recsys.training.text_towers import fit_text_towers


def work(stage: StageRun[TrainingSettings]) -> None:
    """Train until validation stops getting better, and keep the best epoch; without validation, train all and keep the last."""
    settings = stage.settings
    longest = read_json(stage.run / "config" / "retrieve.json")["settings"]["k"]
    check_list_length(longest, n_items=stage.facts_of("pairs")["n_items"], name="retrieve")  # what would stop it after hours
    device = prepare_machine(settings.machine)
    with join_workers(device) as workers:
        checkpoint = stage.folder / "checkpoint"
        pretraining = stage.facts_of("pretrain")
        pretrained = pretraining["is_on"]
        trainer = build_trainer(
            settings,
            read_training_data(stage.read("pairs")),
            device=device,
            checkpoint=checkpoint,
            workers=workers,
            start=read_tensors(stage.read("pretrain") / "model.safetensors") if pretrained else None,
        )
        if idle := settings.idle(is_full=trainer.objective.is_full):
            stage.say(f"without effect beside the other settings of [train]: {', '.join(idle)}")
        records = fit(stage, trainer, n_epochs=settings.loop.n_epochs)
        if not workers.is_main:
            return
        was_aligned = bool(settings.values["text_weight"]) or (pretrained and pretraining["aligns_texts"])
        _align_texts(stage, trainer, holds_out=not was_aligned)
        write_towers(stage.folder, trainer)
    best = next(record for record in reversed(records) if record.is_best)
    stage.facts |= {
        "n_parameters": sum(parameter.numel() for parameter in trainer.model.parameters()),
        "n_epochs": len(records),
        "best_epoch": best.epoch,
        "epoch": _explain_epoch(best, len(records), has_validation=stage.facts_of("pairs")["n_validation"] > 0),
        "validation_ndcg@10": best.validation_ndcg,
        "n_validation_users": len(trainer.validation_users),
        "loss": trainer.objective.in_words(),
        "device": str(device),
        "precision": str(trainer.dtype).removeprefix("torch."),
        "threads": torch.get_num_threads(),
        "spin_count": os.environ.get("GOMP_SPINCOUNT", "the default of OpenMP"),
        "n_workers": workers.n_workers,
        "n_pairs": stage.facts_of("pairs")["n_train"],
        "starts_from": "pre-trained weights" if pretrained else "random weights",
    }
    stage.say(stage.facts["epoch"])


def _align_texts(stage: StageRun[TrainingSettings], trainer: Trainer, *, holds_out: bool) -> None:
    """The text and content towers learn the places of the kept item vectors, which stay where they are."""
    if trainer.model.text_tower is None:
        return
    pairs = stage.read("pairs")
    with stage.progress("text tower", None) as show:
        aligned, cosine = fit_text_towers(
            trainer.model,
            embed_items(trainer.model, device=trainer.device, dtype=trainer.dtype),
            read_array(pairs / "search_text.npy"),
            np.array(read_array(pairs / "item_count.npy")),
            seed=stage.settings.loop.seed,
            device=trainer.device,
            holds_out=holds_out,
            on_step=lambda done, total: show(done, f"step {done}/{total}"),
        )
    if aligned is None:
        return
    columns = ["whole text", *stage.facts_of("pairs")["search_columns"][1:]]
    recall = {f"recall@{k}": dict(zip(columns, shares, strict=True)) for k, shares in aligned.recall.items()}
    stage.facts["text_tower"] = {"n_items": aligned.n_items, "scale": aligned.scale} | recall
    stage.facts["content_tower"] = {"held_out_cosine": cosine}
    found = [f"{name} {share:.1%}" for name, share in recall.get("recall@100", {}).items() if share is not None]
    stage.say(
        f"text tower: {aligned.n_items:,} items with text"
        + (f"; held-out items among the 100 nearest to their {', '.join(found)}" if found else "")
        + ("" if cosine is None else f"; content tower: cosine {cosine:.3f} of held-out items and their places")
    )


def _explain_epoch(best: EpochRecord, n_epochs: int, *, has_validation: bool) -> str:
    if best.validation_ndcg is None:
        why = "no validation event can be judged" if has_validation else "no validation part"
        return f"{why}: trained for {n_epochs} epochs, the last is kept"
    return f"epoch {best.epoch} of {n_epochs} is kept, the best on validation: NDCG@10 {best.validation_ndcg:.4f}"


STAGE = Stage(name="train", read=read_train, work=work, keep="checkpoint")

if __name__ == "__main__":
    STAGE.main()
