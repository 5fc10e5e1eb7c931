from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from pipelines.settings.training_config import TrainSettings
from pipelines.stages.trainer import build_trainer
from recsys.training.judging import judge, read_targets

from recsys.objectives.workers import Workers
from recsys.training import judging

SETTINGS = TrainSettings(dim=8, n_blocks=1, n_heads=1, validation_users=1, threads=1)


@pytest.fixture
def judged(finished: Path, tmp_path: Path) -> Callable[..., dict[str, float]]:
    """What untrained towers are worth on the test events after a change to them."""

    def run(change: Callable[[pl.DataFrame], pl.DataFrame] = lambda events: events) -> dict[str, float]:
        pairs, path = finished / "pairs", tmp_path / "test.parquet"
        change(pl.read_parquet(finished / "split" / "test.parquet")).write_parquet(path)
        cpu = torch.device("cpu")
        trainer = build_trainer(SETTINGS, pairs=pairs, checkpoint=None, device=cpu, workers=Workers())
        return judge(trainer, read_targets(pairs, path))

    return run


def test_a_list_of_the_whole_catalogue_always_hits(judged, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = judged()
    assert 0 < plain["ndcg"] < plain["hr"] < 1
    monkeypatch.setattr(judging, "_K", 120)
    whole = judged()
    assert whole["hr"] == 1
    assert 1 / np.log2(121) < whole["ndcg"] < 1


def test_items_that_were_seen_or_are_unknown_are_misses(finished: Path, judged, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "_K", 120)
    seen = pl.read_parquet(finished / "split" / "train.parquet").group_by("user_id").agg(pl.first("item_id"))
    assert judged(lambda events: events.drop("item_id").join(seen, on="user_id")) == {"hr": 0, "ndcg": 0}
    assert judged(lambda events: events.with_columns(item_id=pl.lit("nobody knows"))) == {"hr": 0, "ndcg": 0}


def test_the_share_is_of_all_test_events(judged, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "_K", 120)
    half = pl.when(pl.Series(np.arange(150) % 2 == 0)).then("item_id").otherwise(pl.lit("nobody knows"))
    assert judged(lambda events: events.with_columns(item_id=half))["hr"] == pytest.approx(0.5)
