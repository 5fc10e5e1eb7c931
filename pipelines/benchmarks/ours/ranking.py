"""One whole training, chosen on validation, and what its lists are worth on the test events.

The job is JSON: `pairs`, the folder of that stage; `test`, a Parquet file of held-out events; `settings`, the table `[train]`;
`values`, if given, a .npy file for the NDCG@10 of each user.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

from pipelines.experiments.judging import judge_each, read_targets
from recsys.core.files import write_array, write_json
from recsys.training.build import build_trainer, prepare_machine, read_training_data
from recsys.training.settings import training_settings


def train(job: dict[str, Any]) -> dict[str, Any]:
    """The test part is read once, when the epoch has been chosen: `hr`, `ndcg`, `minutes`, `epoch` and `validation`."""
    pairs, settings = Path(job["pairs"]), training_settings(job["settings"])
    trainer = build_trainer(settings, read_training_data(pairs), device=prepare_machine(settings.machine))
    began = time.perf_counter()
    for record in trainer.fit():
        print(record, flush=True)
    minutes = (time.perf_counter() - began) / 60
    kept = next(record for record in reversed(trainer.records) if record.is_best)
    each = judge_each(trainer, read_targets(pairs, Path(job["test"])))
    if "values" in job:
        write_array(Path(job["values"]), each["ndcg"])
    figures = {name: float(values.mean()) for name, values in each.items()}
    return figures | {"minutes": minutes, "epoch": kept.epoch, "validation": kept.validation_ndcg}


def main() -> None:
    """`python -m pipelines.benchmarks.ours.ranking JOB RESULT`."""
    write_json(Path(sys.argv[2]), train(json.loads(sys.argv[1])))


if __name__ == "__main__":
    main()
