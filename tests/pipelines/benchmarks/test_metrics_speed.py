from typing import Any

import pytest

from pipelines.benchmarks import metrics_speed
from pipelines.benchmarks.bar import Workspace


@pytest.fixture(autouse=True)
def figures(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """Ours takes 2 s for 100 users, ranx 3 s for 10 of them."""
    told = {"largest_difference": 0.0, "bootstrap_seconds": 4.0}

    def run_own(module: str, job: dict[str, Any], *, log: Any) -> dict[str, Any]:
        assert module == "judging" and job["checked"] == {"ndcg@10": 0.5} and job["n_checked"] == 10
        return {"seconds": 2.0, "metrics": ["ndcg@10"]} | told

    def run_peer(peer: str, script: str, job: dict[str, Any], *, workspace: Workspace, log: Any) -> dict[str, Any]:
        assert (peer, script, job["n_users"]) == ("ranx", "ranx_metrics", 10)
        return {"seconds": 3.0, "means": {"ndcg@10": 0.5}, "version": "ranx 0"}

    monkeypatch.setattr(metrics_speed, "run_own", run_own)
    monkeypatch.setattr(metrics_speed, "run_peer", run_peer)
    return told


def test_the_bars_are_users_a_second_and_seconds_of_the_bootstrap(nowhere: Workspace) -> None:
    speed, bootstrap = metrics_speed.measure(nowhere, n_users=100, n_peer_users=10)
    assert (speed.ours, speed.ratio, speed.bar, speed.holds) == (50.0, pytest.approx(15.0), "ratio >= 5", True)
    assert (bootstrap.ours, bootstrap.bar, bootstrap.holds) == (4.0, "ours <= 10", True)


def test_fast_figures_that_are_others_do_not_count(nowhere: Workspace, figures: dict[str, float]) -> None:
    figures["largest_difference"] = 1e-3
    speed, _ = metrics_speed.measure(nowhere, n_users=100, n_peer_users=10)
    assert speed.ours is None and not speed.holds
