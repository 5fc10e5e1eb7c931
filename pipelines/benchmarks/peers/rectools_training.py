"""RecTools' transformers, epoch by epoch: `python rectools_training.py JOB RESULT`, in the peer's own environment.

The job is JSON: `train`, a Parquet file of interactions; `model` and its `settings`; `n_epochs`. With `validation` and `test`
beside them each epoch is judged by HR@10 over all items of train, until `stop_at` or `limit_seconds` of training are reached.
"""

import json
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

_K = 10


def count_targets(targets: Any) -> int:
    """How many targets of a batch are real; 0 is padding. Shape (B, L)."""
    return int((targets > 0).sum())


def train(job: dict[str, Any]) -> list[dict[str, float]]:
    """One record an epoch: `seconds` of training alone, `n_targets` and, if asked, `hr`."""
    from pytorch_lightning import Callback, Trainer, seed_everything
    from rectools.models import HSTUModel, SASRecModel

    epochs: list[dict[str, float]] = []

    class Clock(Callback):  # type: ignore[misc]
        def on_train_epoch_start(self, *_: Any) -> None:
            epochs.append({"n_targets": 0, "seconds": -time.perf_counter()})

        def on_train_batch_start(self, _trainer: Any, _module: Any, batch: Any, _batch_idx: int) -> None:
            epochs[-1]["n_targets"] += count_targets(batch["y"])

        def on_train_epoch_end(self, *_: Any) -> None:
            epochs[-1]["seconds"] += time.perf_counter()

    def build_trainer() -> Any:
        silent = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
        return Trainer(accelerator="cpu", enable_checkpointing=False, callbacks=[Clock()], **silent)

    seed_everything(0)
    models = {"SASRecModel": SASRecModel, "HSTUModel": HSTUModel}
    model = models[job["model"]](get_trainer_func=build_trainer, recommend_torch_device="cpu", **job["settings"])
    known, limit_seconds = _read(job["train"]), job.get("limit_seconds", float("inf"))
    while len(epochs) < job["n_epochs"] and sum(epoch["seconds"] for epoch in epochs) < limit_seconds:
        model.fit_partial(known, min_epochs=1, max_epochs=1)
        if "test" in job:
            epochs[-1]["hr"] = _hit_rate(model, job)
            print(epochs[-1], flush=True)
            if epochs[-1]["hr"] >= job["stop_at"]:
                break
    return epochs


def _read(*paths: str) -> Any:
    import pandas as pd
    from rectools.dataset import Dataset

    log = pd.concat([pd.read_parquet(path, columns=["user_id", "item_id", "timestamp"]) for path in paths])
    return Dataset.construct(log.rename(columns={"timestamp": "datetime"}).assign(weight=1.0))


def _hit_rate(model: Any, job: dict[str, Any]) -> float:
    import pandas as pd

    test = pd.read_parquet(job["test"], columns=["user_id", "item_id"])
    history = _read(job["train"], job["validation"])
    found = model.recommend(users=test["user_id"].unique(), dataset=history, k=_K, filter_viewed=True)
    return len(found.merge(test, on=["user_id", "item_id"])) / len(test)


def main() -> None:
    """Do the job on the command line."""
    epochs = train(json.loads(sys.argv[1]))
    Path(sys.argv[2]).write_text(json.dumps({"epochs": epochs, "version": f"RecTools {version('rectools')}"}))


if __name__ == "__main__":
    main()
