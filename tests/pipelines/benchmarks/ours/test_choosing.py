import json
from pathlib import Path

import numpy as np
import pytest

from pipelines.benchmarks.ours import choosing
from pipelines.benchmarks.vectors import draw_vectors
from recsys.index import operating_point, published


@pytest.mark.parametrize("side", ["annoy", "auto"])
def test_the_choice_and_the_best_other_setting_are_timed(main_of, tmp_path: Path, monkeypatch, side) -> None:
    monkeypatch.setattr(choosing, "_K", 10)
    monkeypatch.setattr(choosing, "_TREES", (5, 10))
    monkeypatch.setattr(choosing, "_EFFORTS", (100, 1000, 10_000))
    monkeypatch.setattr(choosing, "_ROUNDS", 1)
    monkeypatch.setattr(choosing, "available_families", lambda: ["annoy"])
    monkeypatch.setattr(published, "available_families", lambda: ["annoy"])
    monkeypatch.setattr(operating_point, "_TREES", (5,))
    np.save(tmp_path / "items.npy", draw_vectors(300, seed=1))
    np.save(tmp_path / "queries.npy", draw_vectors(20, seed=2))
    found = json.loads(main_of(choosing, json.dumps({"folder": str(tmp_path), "side": side})).read_text())
    assert found["ours"] > 0
    assert found["peer"] > 0
    assert found["chosen"].startswith("annoy" if side == "annoy" else "exact")
    assert "trees" in found["best"] or found["best"] == "exact"
