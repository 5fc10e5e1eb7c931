from pathlib import Path

import numpy as np
import pytest

from pipelines.benchmarks.ours import choosing
from pipelines.benchmarks.vectors import draw_vectors


@pytest.mark.parametrize("side", ["annoy", "auto"])
def test_the_choice_and_the_best_other_setting_are_timed(tmp_path: Path, side: str) -> None:
    np.save(tmp_path / "items.npy", draw_vectors(300, seed=1))
    np.save(tmp_path / "queries.npy", draw_vectors(20, seed=2))
    found = choosing.choose({"folder": str(tmp_path), "side": side}, k=10, trees=(5, 10), n_rounds=1)
    assert found["ours"] > 0
    assert found["peer"] > 0
    assert found["chosen"].startswith("annoy" if side == "annoy" else "exact")
    assert "trees" in found["best"] if side == "annoy" else found["best"]
