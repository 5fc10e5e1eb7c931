import json
from pathlib import Path

import numpy as np
import pytest

from pipelines.benchmarks.ours import judging
from recsys.metrics.judge import find_hits, judge


def test_metrics_are_timed_and_held_against_the_means_of_another(main_of, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    lists, relevant = (rng.permuted(np.tile(np.arange(50, dtype=np.int32), (30, 1)), axis=1)[:, :n] for n in (20, 3))
    np.save(tmp_path / "lists.npy", lists)
    np.save(tmp_path / "relevant.npy", relevant)
    hits, n_relevant = find_hits(lists, np.repeat(np.arange(30), 3), relevant.ravel())
    own = judge(hits, n_relevant, ks=[5, 20])
    checked = {"hit_rate@5": own["hr@5"][:10].mean(), "r-precision": own["r_precision@20"][:10].mean() + 0.25}
    job = {name: str(tmp_path / f"{name}.npy") for name in ("lists", "relevant")} | {"ks": [5, 20]}
    job |= {"checked": checked, "n_checked": 10, "bootstrap_users": 20, "bootstrap_samples": 10}
    found = json.loads(main_of(judging, json.dumps(job)).read_text())
    assert found["seconds"] > 0 and found["bootstrap_seconds"] > 0
    assert found["largest_difference"] == pytest.approx(0.25)
    assert found["metrics"] == list(own)
