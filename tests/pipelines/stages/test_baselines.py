import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from tests.finished_run import change_settings

NAMES = [
    "als",
    "blend",
    "co_visitation",
    "ease",
    "item_knn",
    "next_id",
    "popularity",
    "random",
    "recent_popularity",
]


def test_each_baseline_is_the_same_table_as_the_model(finished: Path) -> None:
    model = pl.read_parquet(finished / "retrieve" / "candidates.parquet")
    files = sorted((finished / "baselines").glob("*.parquet"))
    assert [file.stem for file in files] == NAMES
    for file in files:
        table = pl.read_parquet(file)
        assert table.schema == model.schema
        assert table["user_id"].equals(model["user_id"])
        assert table["rank"].equals(model["rank"])


def test_the_settings_are_those_with_the_best_figure_on_validation(finished: Path, manifest_of: Callable[[str], dict]) -> None:
    facts = manifest_of("baselines")["facts"]
    tried = json.loads((finished / "baselines" / "choices.json").read_text())["new"]
    assert sorted([*tried, "next_id", "blend"]) == NAMES
    for name, rows in tried.items():
        best = max(rows, key=lambda row: row["ndcg@10"])
        assert (facts["chosen"]["new"][name], facts["validation_ndcg"]["new"][name]) == (best["settings"], best["ndcg@10"])
    assert facts["n_tried"] == sum(map(len, tried.values()))
    assert any(facts["chosen"]["new"]["blend"].values())


def test_catalogues_over_the_limit_leave_out_the_quadratic_ones_and_may_be_promoted_all_the_same(
    copy_of: Path, run_stage: Callable[[str, Path], None]
) -> None:
    change_settings(copy_of, "baselines", largest_catalogue=50)
    run_stage("baselines", copy_of)
    assert json.loads((copy_of / "baselines" / "manifest.json").read_text())["facts"]["skipped"] == ["ease", "als"]
    assert {"item_knn", "co_visitation", "blend"} <= {file.stem for file in (copy_of / "baselines").glob("*.parquet")}
    run_stage("evaluate", copy_of)
    comparisons = json.loads((copy_of / "evaluate" / "comparisons.json").read_text())
    assert comparisons["is_proved"] == all(row["is_beaten"] for row in comparisons["baselines"])
    assert "Left out, the catalogue being too large for them: ease, als." in comparisons["verdict"]


def test_without_validation_lists_leave_out_all_of_train_and_nothing_is_chosen(unvalidated: Path) -> None:
    train = pl.read_parquet(unvalidated / "split" / "train.parquet")
    for name in [*(name for name in NAMES if name != "blend"), "next_row"]:
        table = pl.read_parquet(unvalidated / "baselines" / f"{name}.parquet")
        assert table["user_id"].n_unique() == 150
        assert table.join(train, on=["user_id", "item_id"], how="semi").is_empty()
    facts = json.loads((unvalidated / "baselines" / "manifest.json").read_text())["facts"]
    assert facts["validation_ndcg"] == {"new": {}}
    assert not (unvalidated / "baselines" / "blend.parquet").exists()


@pytest.mark.slow
def test_a_shop_whose_baskets_are_sorted_is_found_out(
    new_run: Callable[..., Path], run_stage: Callable[[str, Path], None]
) -> None:
    """The order of rows finds what is held out: by it a model is not promoted; as sets the order is gone."""
    stages = ("ingest", "split", "pairs", "pretrain", "train", "embed", "index", "baselines", "retrieve", "evaluate")
    found = {}
    for ties in ("file", "auto"):
        run = new_run(
            f'name = "shop-{ties}"\n[ingest]\nsource = "synthetic"\nbasket_size = 4.0\nn_users = 200\nn_items = 200\n'
            f'n_topics = 15\nties = "{ties}"\n[train]\nn_epochs = 2\ndim = 16\nbatch_tokens = 1024\n'
            '[baselines]\nnames = ["popularity", "item_knn", "own_history"]\nk = 50\n[retrieve]\nk = 50\nseen = "drop"\n'
            "[evaluate]\nks = [10, 50]\nn_resamples = 200\n"
        )
        for stage in stages:
            run_stage(stage, run)
        found[ties] = json.loads((run / "evaluate" / "comparisons.json").read_text())
        ingest = json.loads((run / "ingest" / "manifest.json").read_text())["facts"]
        assert ingest["is_tie_order_sorted"] and ingest["ties"] == ("file" if ties == "file" else "sets")
    assert "next-id" in [row["name"] for row in found["file"]["artefacts"]]
    assert not found["file"]["is_proved"]
    assert found["file"]["verdict"].startswith("No figure of this protocol can be trusted: the next ")
    assert found["auto"]["artefacts"] == []
    _check_repeats(run, found["auto"])


def _check_repeats(run: Path, compared: dict) -> None:
    """Both ways are judged, and what a user took before is in the lists of one of them."""
    split = json.loads((run / "split" / "manifest.json").read_text())["facts"]
    assert split["n_repeated_test_pairs"] > 0.05 * split["n_test_pairs"]
    seen = pl.concat([pl.read_parquet(run / "split" / f"{part}.parquet") for part in ("train", "validation")])
    for folder, name, way in (("retrieve", "candidates", "all"), ("baselines", "item_knn", "repeats")):
        new, both = (pl.read_parquet(run / folder / scope / f"{name}.parquet") for scope in (".", way))
        assert new.join(seen, on=["user_id", "item_id"], how="semi").is_empty()
        assert not both.join(seen, on=["user_id", "item_id"], how="semi").is_empty()
        assert (both.group_by("user_id").len()["len"] == 50).all()
    assert compared["scope"] == "new" and [each["scope"] for each in compared["others"]] == ["all"]
    assert "With what users took before: fusion" in compared["verdict"]
    rows = json.loads((run / "evaluate" / "metrics_with_repeats.json").read_text())
    n_new = json.loads((run / "evaluate" / "metrics.json").read_text())[0]["n_users"]
    assert rows[0]["n_users"] > n_new
    assert "The same test: all items, repeats included" in (run / "evaluate" / "report.html").read_text()
    assert "all" not in {path.name for path in (run / "published").resolve().rglob("*")}
