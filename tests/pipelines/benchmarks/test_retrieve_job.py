from typing import Any

import numpy as np
import pytest

from pipelines.benchmarks import retrieve_job
from pipelines.benchmarks.bar import Workspace
from pipelines.benchmarks.retrieve_job import Size


@pytest.fixture
def results(nowhere: Workspace, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """40 users in 2 s, of which 1.8 s in search and writing; the peer needs 3 s for the first 10 of them."""
    monkeypatch.setattr(
        retrieve_job, "SIZES", (Size(name="s", n_users=40, n_items=300, n_seen=5, n_peer_users=10, n_rounds=2),)
    )

    fast = {"seconds": 2.0, "search": 1.5, "write": 0.3, "peak_gb": 2.1}
    rounds = iter([fast | {"seconds": 9.0}, fast])

    def run_own(module: str, job: dict[str, Any], *, log: Any) -> dict[str, float]:
        assert module == "retrieving"
        return next(rounds)

    def run_peer(peer: str, script: str, job: dict[str, Any], *, workspace: Workspace, log: Any) -> dict[str, Any]:
        assert (peer, script) == ("implicit", "implicit_recommend")
        assert len(np.load(job["users"])) == 10
        assert len(np.load(job["item_idx"])) == np.load(job["offsets"])[-1] == 50
        return {"seconds": 3.0, "version": "implicit 0.7.3"}

    monkeypatch.setattr(retrieve_job, "run_own", run_own)
    monkeypatch.setattr(retrieve_job, "run_peer", run_peer)
    return {result.name: result for result in retrieve_job.measure(nowhere)}


def test_the_whole_stage_is_held_against_the_peers_search(results: dict[str, Any]) -> None:
    assert results["retrieve-job-s"].ratio == pytest.approx(20 / (10 / 3))
    assert results["retrieve-job-s"].bar == "ratio >= 3"


def test_time_and_memory_have_their_limits(results: dict[str, Any]) -> None:
    assert results["retrieve-job-s-share"].ours == pytest.approx(0.9)
    assert (results["retrieve-job-s-share"].bar, results["retrieve-job-s-share"].holds) == ("ours >= 0.85", True)
    assert (results["retrieve-job-s-memory"].bar, results["retrieve-job-s-memory"].holds) == ("ours <= 2", False)
