"""train-recbole: our transformer against RecBole's SASRec, targets a second."""

from collections.abc import Iterator
from typing import Any

from pipelines.benchmarks.bar import Result, Workspace, at_least
from pipelines.benchmarks.peer import run_peer
from pipelines.benchmarks.training_speed import N_EPOCHS, SHAPE, USERS, compare

NAME = "train-recbole"
N_BATCHES = 20
SETTINGS: dict[str, Any] = {
    "hidden_size": SHAPE["dim"],
    "inner_size": 2 * SHAPE["dim"],
    "n_layers": SHAPE["n_blocks"],
    "n_heads": SHAPE["n_heads"],
    "hidden_dropout_prob": SHAPE["dropout"],
    "attn_dropout_prob": SHAPE["dropout"],
    "MAX_ITEM_LIST_LENGTH": SHAPE["history_length"],
    "train_batch_size": USERS,
    "loss_type": "CE",
}


def measure(workspace: Workspace) -> Iterator[Result]:
    """Ours over whole epochs, RecBole over some batches: its epoch of a million samples takes hours."""
    job = {"train": workspace.part("train"), "settings": SETTINGS, "n_epochs": N_EPOCHS, "n_batches": N_BATCHES}
    yield compare(
        workspace,
        name=NAME,
        encoder="transformer",
        against="RecBole's SASRec with cross-entropy in float32, where each prefix of a history is a sample with one target, "
        f"{USERS} a step, L 200 too; its epoch takes hours, so {N_BATCHES} batches count as one",
        run_peer=lambda: run_peer("recbole", "recbole_training", job, workspace=workspace, log=workspace.log(f"{NAME}-peer")),
        limit=at_least("ratio", 6),
    )
