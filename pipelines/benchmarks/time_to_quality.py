"""time-to-quality: minutes of training until lists are good, against RecTools' SASRec on the way to less. It takes an hour."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipelines.benchmarks.bar import Result, Workspace, at_least, at_most, in_words
from pipelines.benchmarks.child import run_own
from pipelines.benchmarks.peer import run_peer
from pipelines.benchmarks.rectools_speed import SETTINGS
from recsys.core.files import read_json
from recsys.training.settings import training_settings

NAME = "time-to-quality"


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What we must reach, how soon, and by which changes to `[train]` of the ml-1m profile."""

    hit_rate: float
    within_minutes: float
    settings: dict[str, Any]


GOALS = (
    Goal(hit_rate=0.32, within_minutes=1.5, settings={"dim": 64, "n_blocks": 2, "n_epochs": 4, "dropout": 0.2}),
    Goal(hit_rate=0.35, within_minutes=3.0, settings={"dim": 128, "n_blocks": 2, "n_epochs": 4, "dropout": 0.2}),
)
SOONER = 20
PEER_HIT_RATE = 0.28
PEER_SETTINGS: dict[str, Any] = SETTINGS
PEER_LIMIT_MINUTES = 60.0
PEER_N_EPOCHS = 1000


def measure(workspace: Workspace) -> Iterator[Result]:
    """One run of ours a goal, and one of RecTools for all."""
    own = [minutes_until(_train_ours(workspace, goal), goal.hit_rate) for goal in GOALS]
    found = _train_peer(workspace)
    reached = minutes_until(found["epochs"], PEER_HIT_RATE)
    trained = sum(epoch["seconds"] for epoch in found["epochs"]) / 60
    best = max(epoch["hr"] for epoch in found["epochs"])
    cut = "" if reached is not None else f", cut off with {best:.4f} at best, so that the ratio is a lower bound"
    for goal, ours in zip(GOALS, own, strict=True):
        yield Result(
            name=f"{NAME}-{goal.hit_rate}",
            what=f"minutes of training until test HR@10 {goal.hit_rate} on MovieLens-1M, leave-last-out, all items ranked, "
            f"the time of the request known, {in_words(goal.settings)}; against RecTools' SASRecModel, "
            f"{in_words(PEER_SETTINGS)}, on the way to {PEER_HIT_RATE} on the same events{cut}; "
            "both judged after each epoch, which does not count as training",
            unit="minutes",
            ours=ours,
            peer=reached or trained,
            peer_version=found["version"],
            ratio=None if ours is None else (reached or trained) / ours,
            limits=(at_most("ours", goal.within_minutes), at_least("ratio", SOONER)),
        )


def minutes_until(epochs: list[dict[str, float]], hit_rate: float) -> float | None:
    """Training up to the end of the first epoch that is good enough; None if none is."""
    seconds = 0.0
    for epoch in epochs:
        seconds += epoch["seconds"]
        if epoch["hr"] >= hit_rate:
            return seconds / 60
    return None


def _train_ours(workspace: Workspace, goal: Goal) -> list[dict[str, float]]:
    profile = read_json(workspace.run / "config" / "train.json")["settings"]
    no_validation = {"validation_users": 1, "patience": goal.settings["n_epochs"]}
    settings = training_settings(profile | goal.settings | no_validation)
    job = {"pairs": str(workspace.run / "pairs"), "test": workspace.part("test"), "settings": settings.as_table()}
    epochs: list[dict[str, float]] = run_own("training", job, log=workspace.log(f"{NAME}-{goal.hit_rate}"))["epochs"]
    return epochs


def _train_peer(workspace: Workspace) -> dict[str, Any]:
    parts = {name: workspace.part(name) for name in ("train", "validation", "test")}
    job = parts | {"model": "SASRecModel", "settings": PEER_SETTINGS, "n_epochs": PEER_N_EPOCHS}
    job |= {"stop_at": PEER_HIT_RATE, "limit_seconds": 60 * PEER_LIMIT_MINUTES}
    found: dict[str, Any] = run_peer(
        "rectools", "rectools_training", job, workspace=workspace, log=workspace.log(f"{NAME}-peer")
    )
    return found
