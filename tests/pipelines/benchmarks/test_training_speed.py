from typing import Any

import pytest

from pipelines.benchmarks.bar import Workspace, at_least
from pipelines.benchmarks.training_speed import N_ROUNDS, compare, rates

Jobs = list[tuple[str, dict[str, Any]]]


def test_the_first_epoch_only_warms_up() -> None:
    epochs = [{"seconds": 9.0, "n_targets": 10}, {"seconds": 2.0, "n_targets": 10}, {"seconds": 4.0, "n_targets": 10}]
    assert rates(epochs) == [5.0, 2.5]


def test_sides_take_turns_and_the_medians_are_compared(nowhere: Workspace, jobs: Jobs) -> None:
    speeds = iter([100, 100, 400])

    def run_peer() -> dict[str, Any]:
        jobs.append(("peer", {}))
        epochs = [{"seconds": 1.0, "n_targets": 1}, {"seconds": 1.0, "n_targets": next(speeds)}]
        return {"version": "Peer 1", "epochs": epochs}

    found = compare(nowhere, name="x", encoder="mean", against="a peer", run_peer=run_peer, limit=at_least("ratio", 9))
    assert [side for side, _ in jobs] == ["training", "peer"] * N_ROUNDS
    assert (found.ours, found.peer, found.ratio, found.holds) == (900, 100, 9, True)
    assert found.peer_version == "Peer 1"
    assert found.what.endswith("a peer")


def test_ours_trains_on_the_stated_batch_and_never_stops_early(nowhere: Workspace, jobs: Jobs) -> None:
    peer = {"version": "Peer 1", "epochs": [{"seconds": 1.0, "n_targets": 1}] * 2}
    compare(nowhere, name="x", encoder="hstu", against="", run_peer=lambda: peer, limit=at_least("ratio", 9))
    settings = jobs[0][1]["settings"]
    assert settings["batch_tokens"] == 128 * 200
    assert settings["patience"] >= settings["n_epochs"] > 1
    assert [settings[name] for name in ("encoder", "dim", "n_blocks", "n_heads")] == ["hstu", 64, 2, 2]
    assert settings["dropout"] == pytest.approx(0.2)
