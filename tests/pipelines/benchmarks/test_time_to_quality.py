from pathlib import Path
from typing import Any

import pytest

from pipelines.benchmarks import time_to_quality
from pipelines.benchmarks.bar import Workspace
from pipelines.benchmarks.time_to_quality import GOALS, measure, minutes_until


def epochs(*hit_rates: float) -> list[dict[str, float]]:
    return [{"seconds": 30.0, "hr": hit_rate} for hit_rate in hit_rates]


@pytest.fixture
def sides(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[dict[str, float]]]:
    """What both sides reach, to be changed by a test."""
    reached = {"ours": epochs(0.2, 0.33, 0.36), "peer": epochs(*[0.1] * 99, 0.28)}

    def run_own(module: str, job: dict[str, Any], *, log: Path) -> dict[str, Any]:
        assert job["settings"]["n_epochs"] == job["settings"]["patience"]
        return {"epochs": reached["ours"]}

    def run_peer(peer: str, script: str, job: dict[str, Any], **_: object) -> dict[str, Any]:
        assert (job["stop_at"], job["limit_seconds"]) == (0.28, 3600)
        return {"epochs": reached["peer"], "version": "RecTools 1"}

    monkeypatch.setattr(time_to_quality, "run_own", run_own)
    monkeypatch.setattr(time_to_quality, "run_peer", run_peer)
    return reached


def test_time_runs_to_the_end_of_the_epoch_that_is_good_enough() -> None:
    assert minutes_until(epochs(0.1, 0.3, 0.2, 0.4), 0.3) == 1.0
    assert minutes_until(epochs(0.1, 0.2), 0.3) is None


def test_each_goal_is_a_bar_of_its_own(workspace: Workspace, sides: dict[str, list[dict[str, float]]]) -> None:
    results = list(measure(workspace))
    assert [result.name for result in results] == ["time-to-quality-0.32", "time-to-quality-0.35"]
    assert [(result.ours, result.peer, result.holds) for result in results] == [(1.0, 50.0, True), (1.5, 50.0, True)]
    assert results[0].bar == "ours <= 1.5 and ratio >= 20"
    assert "lower bound" not in results[0].what


def test_a_peer_that_was_cut_off_gives_a_lower_bound_and_it_is_said(
    workspace: Workspace, sides: dict[str, list[dict[str, float]]]
) -> None:
    sides["peer"] = epochs(*[0.1] * 60)
    first, _ = measure(workspace)
    assert (first.peer, first.ratio) == (30.0, 30.0)
    assert "cut off with 0.1000 at best, so that the ratio is a lower bound" in first.what


def test_a_goal_that_was_missed_does_not_hold(workspace: Workspace, sides: dict[str, list[dict[str, float]]]) -> None:
    sides["ours"] = epochs(0.33, 0.34)
    assert [(result.ours, result.holds) for result in measure(workspace)] == [(0.5, True), (None, False)]


def test_the_goals_are_in_rising_order_and_their_settings_are_known() -> None:
    assert [(goal.hit_rate, goal.within_minutes) for goal in GOALS] == [(0.32, 1.5), (0.35, 3.0)]
