import json
from pathlib import Path

import polars as pl
import pytest

from pipelines.tracking import registry
from pipelines.tracking import runs as tracking


def test_the_version_loaded_back_answers_what_the_candidates_hold(finished: Path) -> None:
    tracking.connect(finished.parent, finished.name)
    registered = json.loads((finished / "register" / "registered.json").read_text())
    table = pl.read_parquet(finished / "retrieve" / "candidates.parquet")
    users = ["u00003", "u00140", "u00007"]
    answer = registry.recommend_from_registry(registered["model"], registered["version"], users, k=40)
    for user in users:
        expected = table.filter(pl.col("user_id") == user)
        got = answer.filter(pl.col("user_id") == user)
        assert got["item_id"].to_list() == expected["item_id"].to_list()
        assert got["score"].to_list() == pytest.approx(expected["score"].to_list(), abs=1e-6)


def test_the_gate_gives_the_alias_it_was_earned(finished: Path) -> None:
    tracking.connect(finished.parent, finished.name)
    registered = json.loads((finished / "register" / "registered.json").read_text())
    name, version = registered["model"], registered["version"]
    assert registry.pass_gate(name, version, is_passed=True, reason="better") == "champion"
    assert registry.pass_gate(name, version, is_passed=False, reason="worse") == "challenger"
    registry.pass_gate(name, version, is_passed=registered["gate"] == "passed", reason=_verdict(finished))


def _verdict(finished: Path) -> str:
    return json.loads((finished / "evaluate" / "comparisons.json").read_text())["verdict"]
