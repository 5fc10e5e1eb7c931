from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from pipelines.experiments.judging import judge, read_targets
from recsys.training.build import build_trainer, read_training_data
from recsys.training.settings import training_settings

SETTINGS = training_settings({"dim": 8, "n_blocks": 1, "n_heads": 1, "validation_users": 1, "threads": 1})


@pytest.fixture
def judged(finished: Path, tmp_path: Path) -> Callable[..., dict[str, float]]:
    """What untrained towers are worth on the test events after a change to them."""

    def run(change: Callable[[pl.DataFrame], pl.DataFrame] = lambda events: events, *, k: int = 10) -> dict[str, float]:
        pairs, path = finished / "pairs", tmp_path / "test.parquet"
        change(pl.read_parquet(finished / "split" / "test.parquet")).write_parquet(path)
        trainer = build_trainer(SETTINGS, read_training_data(pairs), device=torch.device("cpu"))
        return judge(trainer, read_targets(pairs, path), k=k)

    return run


def test_a_list_of_the_whole_catalogue_always_hits(judged) -> None:
    plain = judged()
    assert 0 < plain["ndcg"] < plain["hr"] < 1
    whole = judged(k=120)
    assert whole["hr"] == 1
    assert 1 / np.log2(121) < whole["ndcg"] < 1


def test_items_that_were_seen_or_are_unknown_are_misses(finished: Path, judged) -> None:
    seen = pl.read_parquet(finished / "split" / "train.parquet").group_by("user_id").agg(pl.first("item_id"))
    assert judged(lambda events: events.drop("item_id").join(seen, on="user_id"), k=120) == {"hr": 0, "ndcg": 0}
    assert judged(lambda events: events.with_columns(item_id=pl.lit("nobody knows")), k=120) == {"hr": 0, "ndcg": 0}


def test_the_share_is_of_all_test_events(judged) -> None:
    half = pl.when(pl.Series(np.arange(150) % 2 == 0)).then("item_id").otherwise(pl.lit("nobody knows"))
    assert judged(lambda events: events.with_columns(item_id=half), k=120)["hr"] == pytest.approx(0.5)
