"""train: histories to a two-tower model: `model.safetensors`, `spec.json`, `epochs.parquet`, `checkpoint/`.

Under `torchrun --nproc-per-node 2 -m pipelines.stages.train artifacts/<profile>` the processes share every batch.
"""

import os
from typing import Any

import numpy as np
import torch

from pipelines.settings.train import read_train
from pipelines.stages.stage import Stage, StageRun
from pipelines.stages.training import fit, write_towers
from recsys.core.files import read_array
from recsys.features.facts import PairsFacts
from recsys.index.nearest import check_list_length
from recsys.inference.embedding import embed_items
from recsys.models.checkpoint import read_tensors
from recsys.models.facts import PretrainFacts, TrainFacts
from recsys.objectives.workers import join_workers
from recsys.training.build import build_trainer, prepare_machine, read_training_data
from recsys.training.loop import Trainer
from recsys.training.settings import TrainingSettings
from recsys.training.text_towers import fit_text_towers


def work(stage: StageRun[TrainingSettings]) -> TrainFacts | None:
    """Train until validation stops getting better, and keep the best epoch; without validation, train all and keep the last."""
    settings = stage.settings
    pairs = stage.facts_of("pairs", PairsFacts)
    check_list_length(stage.settings_of("retrieve")["k"], n_items=pairs.n_items, name="retrieve")  # it would stop after hours
    device = prepare_machine(settings.machine)
    with join_workers(device) as workers:
        checkpoint = stage.folder / "checkpoint"
        pretraining = stage.facts_of("pretrain", PretrainFacts)
        trainer = build_trainer(
            settings,
            read_training_data(stage.read("pairs")),
            device=device,
            checkpoint=checkpoint,
            workers=workers,
            start=read_tensors(stage.read("pretrain") / "model.safetensors") if pretraining.is_on else None,
        )
        if idle := settings.idle(is_full=trainer.objective.is_full):
            stage.say(f"without effect beside the other settings of [train]: {', '.join(idle)}")
        records = fit(stage, trainer, n_epochs=settings.loop.n_epochs)
        if not workers.is_main:
            return None
        was_aligned = bool(settings.values["text_weight"]) or pretraining.aligns_texts
        texts = _align_texts(stage, trainer, columns=pairs.search_columns, holds_out=not was_aligned)
        write_towers(stage.folder, trainer)
    best = next(record for record in reversed(records) if record.is_best)
    figure = "" if best.validation_ndcg is None else f", validation NDCG@10 {best.validation_ndcg:.4f}"
    stage.say(f"epoch {best.epoch} of {len(records)} is kept{figure}")
    return TrainFacts(
        n_parameters=sum(parameter.numel() for parameter in trainer.model.parameters()),
        n_epochs=len(records),
        best_epoch=best.epoch,
        best_validation_ndcg=best.validation_ndcg,
        n_validation_users=len(trainer.validation_users),
        n_pairs=pairs.n_train,
        loss=trainer.objective.in_words(),
        device=str(device),
        precision="bfloat16" if trainer.dtype == torch.bfloat16 else "float32",
        threads=torch.get_num_threads(),
        spin_count=os.environ.get("GOMP_SPINCOUNT", "the default of OpenMP"),
        n_workers=workers.n_workers,
        starts_from_pretrained=pretraining.is_on,
        **texts,
    )


def _align_texts(stage: StageRun[TrainingSettings], trainer: Trainer, *, columns: list[str], holds_out: bool) -> dict[str, Any]:
    """The text and content towers learn the kept item vectors, which stay where they are; what that came to."""
    if trainer.model.text_tower is None:
        return {}
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
        return {}
    names = ["whole text", *columns[1:]]
    recall = {f"recall@{k}": dict(zip(names, shares, strict=True)) for k, shares in aligned.recall.items()}
    found = [f"{name} {share:.1%}" for name, share in recall.get("recall@100", {}).items() if share is not None]
    stage.say(
        f"text tower: {aligned.n_items:,} items with text"
        + (f"; held-out items among the 100 nearest to their {', '.join(found)}" if found else "")
        + ("" if cosine is None else f"; content tower: cosine {cosine:.3f} of held-out items and their vectors")
    )
    return {
        "n_text_items": aligned.n_items,
        "text_scale": aligned.scale,
        "text_recall": recall,
        "content_cosine": cosine,
    }


STAGE = Stage(name="train", read=read_train, work=work, keep="checkpoint")

if __name__ == "__main__":
    STAGE.main()
