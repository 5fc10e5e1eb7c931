import json
from pathlib import Path

import polars as pl

from pipelines.benchmarks.ours import retrieving
from pipelines.benchmarks.vectors import write_world


def test_the_whole_stage_runs_and_its_parts_are_timed(main_of, tmp_path: Path) -> None:
    write_world(tmp_path / "run", n_users=50, n_items=200, n_seen=5)
    found = json.loads(main_of(retrieving, json.dumps({"run": str(tmp_path / "run"), "k": 20})).read_text())
    assert 0 < found["search"] + found["write"] <= found["seconds"]
    assert found["peak_gb"] > 0.05
    table = pl.read_parquet(tmp_path / "run" / "published" / "current" / "candidates.parquet")
    assert table.height == 50 * 20
