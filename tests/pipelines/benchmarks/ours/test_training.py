import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from pipelines.benchmarks.bar import Place
from pipelines.benchmarks.ours import training
from pipelines.config import TrainSettings
from recsys.training.distributed import Workers

SETTINGS = TrainSettings(dim=8, n_blocks=1, n_heads=1, n_epochs=2, batch_tokens=512, validation_users=1, threads=1)


@pytest.fixture
def job(place: Place) -> dict:
    return {"pairs": str(place.run / "pairs"), "settings": SETTINGS.model_dump(mode="json"), "test": place.part("test")}


def test_each_epoch_counts_every_train_event_but_the_first_of_a_user(place: Place, job: dict, main_of) -> None:
    del job["test"]
    epochs = json.loads(main_of(training, json.dumps(job)).read_text())["epochs"]
    log = pl.read_parquet(place.part("train"))
    assert [epoch["n_targets"] for epoch in epochs] == [log.height - log["user_id"].n_unique()] * 2
    assert all(0 < epoch["seconds"] < 60 and "hr" not in epoch for epoch in epochs)


def test_seconds_leave_validation_and_judgement_out(job: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = {"now": 0.0}
    monkeypatch.setattr(training.time, "perf_counter", lambda: clock["now"])

    def judge(*_: object) -> float:
        clock["now"] += 1000
        return 0.5

    class Slow:
        def fit(self, *, on_step):
            for _ in range(2):
                for _ in range(3):
                    clock["now"] += 1
                    on_step(None)
                clock["now"] += 100
                yield type("Record", (), {"n_targets": 7})

    monkeypatch.setattr(training, "build_trainer", lambda *_, **__: Slow())
    monkeypatch.setattr(training, "_hit_rate", judge)
    assert training.train(job) == [{"seconds": 3.0, "n_targets": 7, "hr": 0.5}] * 2


@pytest.fixture
def hit_rate(place: Place, job: dict, tmp_path: Path):
    """HR@10 of untrained towers on the test events after a change to them."""

    def judge(change=lambda events: events) -> float:
        path = tmp_path / "test.parquet"
        change(pl.read_parquet(job["test"])).write_parquet(path)
        pairs = Path(job["pairs"])
        cpu = torch.device("cpu")
        trainer = training.build_trainer(SETTINGS, pairs=pairs, checkpoint=None, device=cpu, workers=Workers())
        return training._hit_rate(trainer, training._read_targets(pairs, path))

    return judge


def test_a_list_of_the_whole_catalogue_always_hits(hit_rate, monkeypatch: pytest.MonkeyPatch) -> None:
    assert 0 < hit_rate() < 1
    monkeypatch.setattr(training, "_K", 50)
    assert hit_rate() == 1


def test_items_that_were_seen_or_are_unknown_are_misses(place: Place, hit_rate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "_K", 50)
    seen = pl.read_parquet(place.part("train")).group_by("user_id").agg(pl.first("item_id"))
    assert hit_rate(lambda events: events.drop("item_id").join(seen, on="user_id")) == 0
    assert hit_rate(lambda events: events.with_columns(item_id=pl.lit("nobody knows"))) == 0


def test_the_share_is_of_all_test_events(place: Place, hit_rate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "_K", 50)
    half = pl.when(pl.Series(np.arange(60) % 2 == 0)).then("item_id").otherwise(pl.lit("nobody knows"))
    assert hit_rate(lambda events: events.with_columns(item_id=half)) == pytest.approx(0.5)
