"""Real targets a second: ours and a peer's by turns, on the same log, in the same shape, with the same batch."""

from collections.abc import Callable
from statistics import median
from typing import Any

from pipelines.benchmarks.bar import Limit, Result, Workspace, in_words
from pipelines.benchmarks.child import run_own
from pipelines.stages.stage import console
from recsys.training.settings import training_settings

N_ROUNDS = 2
N_EPOCHS = 3
USERS = 128
SHAPE: dict[str, Any] = {"dim": 64, "n_blocks": 2, "n_heads": 2, "history_length": 200, "dropout": 0.2}
_BATCH = {"batch_tokens": USERS * SHAPE["history_length"], "n_epochs": N_EPOCHS}
_NO_VALIDATION = {"validation_users": 1, "patience": N_EPOCHS}


def compare(
    workspace: Workspace, *, name: str, encoder: str, against: str, run_peer: Callable[[], dict[str, Any]], limit: Limit
) -> Result:
    """One bar on speed: train by turns, each time in fresh processes; the medians of all epochs but the first of each.

    Args:
        workspace: Where.
        name: Of the bar.
        encoder: Ours.
        against: What the peer does, in words.
        run_peer: Trains the peer; gives `epochs` and `version`.
        limit: What must hold.
    """
    settings = training_settings(SHAPE | _BATCH | _NO_VALIDATION | {"encoder": encoder})
    job = {"pairs": str(workspace.run / "pairs"), "settings": settings.as_table()}
    ours, peers, version = list[float](), list[float](), ""
    for number in range(1, N_ROUNDS + 1):
        ours += rates(run_own("training", job, log=workspace.log(name))["epochs"])
        found = run_peer()
        peers, version = peers + rates(found["epochs"]), found["version"]
        console.print(f"  round {number} of {N_ROUNDS}: ours {ours[-1]:,.0f}, {version} {peers[-1]:,.0f} targets/s")
    return Result(
        name=name,
        what="real (not padded) train targets a second on the train part of MovieLens-1M, leave-last-out, softmax over all "
        f"items, {in_words(SHAPE)}, {USERS} full histories a step; our encoder {encoder}: bfloat16 where the processor "
        f"multiplies in it, times and genres as inputs, all events, whole epochs; {against}",
        unit="targets/s",
        ours=median(ours),
        peer=median(peers),
        peer_version=version,
        ratio=median(ours) / median(peers),
        limits=(limit,),
    )


def rates(epochs: list[dict[str, float]]) -> list[float]:
    """Targets a second of each epoch behind the first, which warms up."""
    return [epoch["n_targets"] / epoch["seconds"] for epoch in epochs[1:]]
