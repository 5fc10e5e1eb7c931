"""pretrain: towers from views of histories and items alone, without next items; `train` goes on from their weights.

Under `torchrun --nproc-per-node 2 -m pipelines.pretrain artifacts/<profile>` the processes share every batch.
"""

import os

import torch

from pipelines.stage import StageRun, run_stage
from pipelines.trainer import build_trainer, fit, prepare_device, write_towers
from pipelines.training_config import PretrainSettings, TrainSettings
from recsys.training.distributed import join_workers


def work(stage: StageRun[PretrainSettings]) -> None:
    """Train without labels for a fixed number of epochs; with 0 of them there is nothing to do."""
    settings = stage.settings
    pairs = stage.read("pairs")
    stage.facts["is_on"] = settings.n_epochs > 0
    if not settings.n_epochs:
        stage.say("off: [pretrain] n_epochs is 0, training starts at random weights")
        return
    training = TrainSettings.model_validate(stage.config["model"] | settings.model_dump())
    device = prepare_device(training)
    with join_workers(device) as workers:
        checkpoint = stage.folder / "checkpoint"
        trainer = build_trainer(training, pairs=pairs, checkpoint=checkpoint, device=device, workers=workers, has_labels=False)
        if idle := settings.idle(is_full=True):
            stage.say(f"without effect beside the other settings of [pretrain]: {', '.join(idle)}")
        records = fit(stage, trainer, n_epochs=settings.n_epochs)
        if not workers.is_main:
            return
        write_towers(stage.folder, trainer)
    stage.facts |= {
        "n_epochs": len(records),
        "first_loss": records[0].loss,
        "last_loss": records[-1].loss,
        "loss": trainer.objective.in_words(),
        "aligns_texts": settings.text_weight > 0,
        "device": str(device),
        "precision": str(trainer.dtype).removeprefix("torch."),
        "threads": torch.get_num_threads(),
        "n_workers": workers.n_workers,
    }
    stage.say(f"{len(records)} epochs without labels: loss {records[0].loss:.4f} to {records[-1].loss:.4f}")


def main() -> None:
    """`python -m pipelines.pretrain artifacts/<profile>`."""
    run_stage("pretrain", PretrainSettings, work, keep="checkpoint", is_main=os.environ.get("RANK", "0") == "0")


if __name__ == "__main__":
    main()
