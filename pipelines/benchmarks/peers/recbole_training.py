"""RecBole's SASRec, some batches at a time: `python recbole_training.py JOB RESULT`, in the peer's own environment.

The job is JSON: `train`, a Parquet file of interactions; the model's `settings`; `n_epochs` of `n_batches` each, since a whole
epoch, in which every prefix of a history is a sample of its own, takes hours.
"""

import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

_KINDS = {"user_id": "token", "item_id": "token", "timestamp": "float"}


class FirstBatches:
    """The first batches of a loader, and how many samples they held; each sample has one target.

    Args:
        loader: Any iterable of sized batches.
        n_batches: How many it gives.
    """

    def __init__(self, loader: Any, n_batches: int) -> None:
        self.loader, self.n_batches, self.n_targets = loader, n_batches, 0

    def __iter__(self) -> Iterator[Any]:
        for batch in islice(self.loader, self.n_batches):
            self.n_targets += len(batch)
            yield batch


def train(job: dict[str, Any], folder: Path) -> list[dict[str, float]]:
    """One record an epoch: `seconds` and `n_targets`."""
    from recbole.config import Config
    from recbole.data import create_dataset, data_preparation
    from recbole.utils import get_model, get_trainer, init_seed

    _write_log(job["train"], folder / "log" / "log.inter")
    sys.argv = sys.argv[:1]  # RecBole reads settings from the command line.
    fixed = {
        "data_path": str(folder),
        "checkpoint_dir": str(folder),
        "load_col": {"inter": list(_KINDS)},
        "eval_args": {"split": {"LS": "valid_and_test"}, "order": "TO", "mode": "full"},
        "train_neg_sample_args": None,
        "use_gpu": False,
        "show_progress": False,
    }
    config = Config(model="SASRec", dataset="log", config_dict=fixed | job["settings"])
    init_seed(config["seed"], config["reproducibility"])
    loader, _, _ = data_preparation(config, create_dataset(config))
    model = get_model(config["model"])(config, loader.dataset)
    trainer = get_trainer(config["MODEL_TYPE"], config["model"])(config, model)
    epochs: list[dict[str, float]] = []
    for epoch in range(job["n_epochs"]):
        batches, began = FirstBatches(loader, job["n_batches"]), time.perf_counter()
        trainer._train_epoch(batches, epoch)
        epochs.append({"seconds": time.perf_counter() - began, "n_targets": batches.n_targets})
    return epochs


def _write_log(train: str, path: Path) -> None:
    """The log as RecBole reads it: tab-separated, the kind of each column in its name."""
    import pandas as pd

    log = pd.read_parquet(train, columns=list(_KINDS))
    log["timestamp"] = log["timestamp"].astype("int64") // 10**6
    path.parent.mkdir()
    log.rename(columns={name: f"{name}:{kind}" for name, kind in _KINDS.items()}).to_csv(path, sep="\t", index=False)


def main() -> None:
    """Do the job on the command line."""
    job, result = json.loads(sys.argv[1]), Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        epochs = train(job, Path(folder))
    result.write_text(json.dumps({"epochs": epochs, "version": f"RecBole {version('recbole')}"}))


if __name__ == "__main__":
    main()
