import json
from collections.abc import Callable
from pathlib import Path

import polars as pl

from tests.finished_run import change_settings

NAMES = ["als", "ease", "item_knn", "popularity", "random", "recent_popularity"]


def test_each_baseline_is_the_same_table_as_the_model(finished: Path) -> None:
    model = pl.read_parquet(finished / "retrieve" / "candidates.parquet")
    files = sorted((finished / "baselines").glob("*.parquet"))
    assert [file.stem for file in files] == NAMES
    for file in files:
        table = pl.read_parquet(file)
        assert table.schema == model.schema
        assert table["user_id"].equals(model["user_id"])
        assert table["rank"].equals(model["rank"])


def test_catalogues_over_the_limit_leave_out_the_quadratic_ones(copy_of: Path, run_stage: Callable[[str, Path], None]) -> None:
    change_settings(copy_of, "baselines", largest_catalogue=50)
    run_stage("baselines", copy_of)
    assert json.loads((copy_of / "baselines" / "manifest.json").read_text())["facts"]["skipped"] == ["item_knn", "ease", "als"]
    left = ["popularity", "random", "recent_popularity"]
    assert sorted(file.stem for file in (copy_of / "baselines").glob("*.parquet")) == left
    run_stage("evaluate", copy_of)
    comparisons = json.loads((copy_of / "evaluate" / "comparisons.json").read_text())
    assert not comparisons["is_proved"]
    assert "item-knn, ease, als could not be computed" in comparisons["verdict"]


def test_without_validation_lists_leave_out_all_of_train(unvalidated: Path) -> None:
    train = pl.read_parquet(unvalidated / "split" / "train.parquet")
    for name in NAMES:
        table = pl.read_parquet(unvalidated / "baselines" / f"{name}.parquet")
        assert table["user_id"].n_unique() == 150
        assert table.join(train, on=["user_id", "item_id"], how="semi").is_empty()
