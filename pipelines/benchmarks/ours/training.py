"""Our training, epoch by epoch.

The job is JSON: `pairs`, the folder of that stage, and `settings`, the table `[train]`. With `test` beside them, a Parquet
file of held-out events, each epoch is judged by HR@10 over all items of train, seen ones removed.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

from pipelines.experiments.judging import judge, read_targets
from recsys.core.files import write_json
from recsys.training.build import build_trainer, prepare_machine, read_training_data
from recsys.training.loop import Step
from recsys.training.settings import training_settings


def train(job: dict[str, Any]) -> list[dict[str, float]]:
    """One record an epoch: `seconds` of training alone, `n_targets` and, if asked, `hr`."""
    pairs = Path(job["pairs"])
    settings = training_settings(job["settings"])
    trainer = build_trainer(settings, read_training_data(pairs), device=prepare_machine(settings.machine))
    epochs: list[dict[str, float]] = []
    began = ended = time.perf_counter()

    def on_step(_: Step) -> None:
        nonlocal ended
        ended = time.perf_counter()

    for record in trainer.fit(on_step=on_step):
        epochs.append({"seconds": ended - began, "n_targets": record.n_targets})
        if "test" in job:
            epochs[-1]["hr"] = judge(trainer, read_targets(pairs, Path(job["test"])))["hr"]
        print(epochs[-1], flush=True)
        began = time.perf_counter()
    return epochs


def main() -> None:
    """`python -m pipelines.benchmarks.ours.training JOB RESULT`."""
    write_json(Path(sys.argv[2]), {"epochs": train(json.loads(sys.argv[1]))})


if __name__ == "__main__":
    main()
