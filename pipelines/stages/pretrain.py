"""pretrain: towers from views of histories and items alone, without next items; `train` goes on from their weights.

Under `torchrun --nproc-per-node 2 -m pipelines.stages.pretrain artifacts/<profile>` the processes share every batch.
"""

import torch

from pipelines.settings.train import read_pretrain
from pipelines.stages.stage import Stage, StageRun
from pipelines.stages.training import fit, write_towers
from recsys.models.facts import PretrainFacts
from recsys.objectives.workers import join_workers
from recsys.training.build import build_trainer, prepare_machine, read_training_data
from recsys.training.settings import TrainingSettings, join_pretraining


def work(stage: StageRun[TrainingSettings]) -> PretrainFacts | None:
    """Train without labels for a fixed number of epochs; with 0 of them there is nothing to do."""
    settings = stage.settings
    pairs = stage.read("pairs")
    n_epochs = settings.loop.n_epochs
    if not n_epochs:
        stage.say("off: [pretrain] n_epochs is 0, training starts at random weights")
        return PretrainFacts(is_on=False)
    training = join_pretraining(settings, stage.config["model"])
    device = prepare_machine(training.machine)
    with join_workers(device) as workers:
        checkpoint = stage.folder / "checkpoint"
        trainer = build_trainer(training, read_training_data(pairs), device=device, checkpoint=checkpoint, workers=workers)
        if idle := settings.idle(is_full=True):
            stage.say(f"without effect beside the other settings of [pretrain]: {', '.join(idle)}")
        records = fit(stage, trainer, n_epochs=n_epochs)
        if not workers.is_main:
            return None
        write_towers(stage.folder, trainer)
    stage.say(f"{len(records)} epochs without labels: loss {records[0].loss:.4f} to {records[-1].loss:.4f}")
    return PretrainFacts(
        is_on=True,
        n_epochs=len(records),
        first_loss=records[0].loss,
        last_loss=records[-1].loss,
        loss=trainer.objective.in_words(),
        aligns_texts=settings.values["text_weight"] > 0,
        device=str(device),
        precision="bfloat16" if trainer.dtype == torch.bfloat16 else "float32",
        threads=torch.get_num_threads(),
        n_workers=workers.n_workers,
    )


STAGE = Stage(name="pretrain", read=read_pretrain, work=work, keep="checkpoint")

if __name__ == "__main__":
    STAGE.main()
