import shutil
from pathlib import Path

import polars as pl
import pytest

from pipelines.commands.augment import augment_history, lay_side_by_side
from recsys.core.errors import DataError
from tests.finished_run import change_settings


def test_the_history_is_that_of_train_and_views_hold_nothing_else(finished: Path) -> None:
    train = pl.read_parquet(finished / "split" / "train.parquet").filter(pl.col("user_id") == "u00003")
    history, *views = augment_history(finished, "u00003", seed=0)
    assert history.name == "history"
    assert history.events["item_id"].to_list() == train["item_id"].to_list()
    shown = train["timestamp"].dt.strftime("%Y-%m-%dT%H:%M:%SZ").to_list()
    assert history.events["timestamp"].to_list() == shown
    assert len(views) == 2
    known = set(pl.read_parquet(finished / "split" / "train.parquet")["item_id"])
    for view in views:
        assert view.name in ("crop", "mask", "reorder", "substitute", "insert")
        assert set(view.events["item_id"].drop_nulls()) <= known
        assert view.events["timestamp"].is_sorted()


def test_views_are_of_the_window_that_is_trained_on(finished: Path, tmp_path: Path) -> None:
    run = shutil.copytree(finished, tmp_path / finished.name)
    change_settings(run, "train", window_length=3)
    history, *_ = augment_history(run, "u00003", seed=0)
    train = pl.read_parquet(finished / "split" / "train.parquet").filter(pl.col("user_id") == "u00003")
    assert history.events["item_id"].to_list() == train["item_id"].to_list()[-3:]


def test_the_same_seed_gives_the_same_views_and_another_one_others(finished: Path) -> None:
    first, again, other = (
        [(view.name, view.events["item_id"].to_list()) for view in augment_history(finished, "u00003", seed=seed)]
        for seed in (1, 1, 2)
    )
    assert first == again != other


def test_a_stranger_is_refused(finished: Path) -> None:
    with pytest.raises(DataError, match="the user must be in the training set, got 'nobody'"):
        augment_history(finished, "nobody", seed=0)


def test_columns_show_texts_ids_where_there_are_none_and_nothing_behind_the_end() -> None:
    history = pl.DataFrame({"item_id": ["a", "b", "c"], "timestamp": ["1", "2", "3"], "title": ["A", None, "C"]})
    view = pl.DataFrame({"item_id": ["a", None], "timestamp": ["1", "2"], "title": ["A", None]})
    table = lay_side_by_side(["history", "mask"], [history, view])
    assert table.to_dict(as_series=False) == {
        "#": [1, 2, 3],
        "history": ["A", "b", "C"],
        "view 1: mask": ["A", "(hidden)", None],
    }
