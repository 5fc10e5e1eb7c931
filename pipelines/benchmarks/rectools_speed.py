"""Training speed against RecTools: its models in the shape of our benchmarks."""

from typing import Any, Literal

from pipelines.benchmarks.bar import Limit, Result, Workspace
from pipelines.benchmarks.peer import run_peer
from pipelines.benchmarks.training_speed import N_EPOCHS, SHAPE, USERS, compare

SETTINGS: dict[str, Any] = {
    "n_factors": SHAPE["dim"],
    "n_blocks": SHAPE["n_blocks"],
    "n_heads": SHAPE["n_heads"],
    "session_max_len": SHAPE["history_length"],
    "dropout_rate": SHAPE["dropout"],
    "batch_size": USERS,
    "loss": "softmax",
}


def compare_to_rectools(
    workspace: Workspace, *, name: str, encoder: str, model: Literal["SASRecModel", "HSTUModel"], limit: Limit
) -> Result:
    """One bar on the speed of an encoder of ours over that of a model of RecTools."""
    job = {"train": workspace.part("train"), "model": model, "settings": SETTINGS, "n_epochs": N_EPOCHS}
    return compare(
        workspace,
        name=name,
        encoder=encoder,
        against=f"RecTools' {model} at its defaults: float32, the last L + 1 events of each user, whole epochs",
        run_peer=lambda: run_peer("rectools", "rectools_training", job, workspace=workspace, log=workspace.log(f"{name}-peer")),
        limit=limit,
    )
