import json
from pathlib import Path

import numpy as np
import pytest

from pipelines.benchmarks.bar import Workspace
from pipelines.benchmarks.ours import ranking
from recsys.training.loop import Trainer
from recsys.training.settings import training_settings


def test_the_best_epoch_is_judged_once_and_told(
    workspace: Workspace, main_of, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = training_settings(
        {"dim": 8, "n_blocks": 1, "n_heads": 1, "n_epochs": 4, "batch_tokens": 512, "threads": 1, "patience": 4}
    )
    judged, judge_each = [], ranking.judge_each

    def note(trainer: Trainer, targets: object) -> dict[str, np.ndarray]:
        judged.append(trainer)
        return judge_each(trainer, targets)

    monkeypatch.setattr(ranking, "judge_each", note)
    values = tmp_path / "ndcg.npy"
    job = {"pairs": str(workspace.run / "pairs"), "test": workspace.part("test"), "settings": settings.as_table()}
    job["values"] = str(values)
    found = json.loads(main_of(ranking, json.dumps(job)).read_text())
    (trainer,) = judged
    each = np.load(values)
    assert each.shape == (60,)
    assert each.mean() == pytest.approx(found["ndcg"])
    validation = [record.validation_ndcg for record in trainer.records]
    assert (len(validation), found["validation"]) == (4, max(validation))
    assert found["epoch"] == validation.index(max(validation)) + 1
    assert 0 <= found["ndcg"] <= found["hr"] <= 1
    assert found["minutes"] > 0
