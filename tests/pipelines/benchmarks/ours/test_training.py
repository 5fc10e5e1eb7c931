import json

import polars as pl
import pytest

from pipelines.benchmarks.bar import Workspace
from pipelines.benchmarks.ours import training
from recsys.training.settings import training_settings

SETTINGS = training_settings(
    {"dim": 8, "n_blocks": 1, "n_heads": 1, "n_epochs": 2, "batch_tokens": 512, "validation_users": 1, "threads": 1}
)


@pytest.fixture
def job(workspace: Workspace) -> dict:
    return {"pairs": str(workspace.run / "pairs"), "settings": SETTINGS.as_table(), "test": workspace.part("test")}


def test_each_epoch_counts_every_train_event_but_the_first_of_a_user(workspace: Workspace, job: dict, main_of) -> None:
    del job["test"]
    epochs = json.loads(main_of(training, json.dumps(job)).read_text())["epochs"]
    log = pl.read_parquet(workspace.part("train"))
    assert [epoch["n_targets"] for epoch in epochs] == [log.height - log["user_id"].n_unique()] * 2
    assert all(0 < epoch["seconds"] < 60 and "hr" not in epoch for epoch in epochs)


def test_seconds_leave_validation_and_judgement_out(job: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = {"now": 0.0}
    monkeypatch.setattr(training.time, "perf_counter", lambda: clock["now"])

    def judge(*_: object) -> dict[str, float]:
        clock["now"] += 1000
        return {"hr": 0.5}

    class Slow:
        def fit(self, *, on_step):
            for _ in range(2):
                for _ in range(3):
                    clock["now"] += 1
                    on_step(None)
                clock["now"] += 100
                yield type("Record", (), {"n_targets": 7})

    monkeypatch.setattr(training, "build_trainer", lambda *_, **__: Slow())
    monkeypatch.setattr(training, "judge", judge)
    assert training.train(job) == [{"seconds": 3.0, "n_targets": 7, "hr": 0.5}] * 2
