import json

import pytest

from pipelines.benchmarks.bar import Place
from pipelines.benchmarks.ours import ranking
from pipelines.training_config import TrainSettings
from recsys.training.loop import Trainer


def test_the_best_epoch_is_judged_once_and_told(place: Place, main_of, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = TrainSettings(dim=8, n_blocks=1, n_heads=1, n_epochs=4, batch_tokens=512, threads=1, patience=4)
    judged, judge = [], ranking.judge

    def note(trainer: Trainer, targets: object) -> dict[str, float]:
        judged.append(trainer)
        return judge(trainer, targets)

    monkeypatch.setattr(ranking, "judge", note)
    job = {"pairs": str(place.run / "pairs"), "test": place.part("test"), "settings": settings.model_dump(mode="json")}
    found = json.loads(main_of(ranking, json.dumps(job)).read_text())
    (trainer,) = judged
    values = [record.validation_ndcg for record in trainer.records]
    assert (len(values), found["validation"]) == (4, max(values))
    assert found["epoch"] == values.index(max(values)) + 1
    assert 0 <= found["ndcg"] <= found["hr"] <= 1
    assert found["minutes"] > 0
