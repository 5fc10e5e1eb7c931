import json
from collections.abc import Callable
from html import unescape
from pathlib import Path

import polars as pl
import pytest

from tests.finished_run import change_settings


def test_metrics_hold_every_model_and_figure_with_its_interval(finished: Path) -> None:
    rows = json.loads((finished / "evaluate" / "metrics.json").read_text())
    assert all(set(row) == {"model", "metric", "value", "low", "high", "n_users"} for row in rows)
    assert {row["model"] for row in rows} == {
        "two-tower",
        "als",
        "blend",
        "co-visitation",
        "ease",
        "item-knn",
        "next-id",
        "popularity",
        "random",
        "recent-popularity",
    }
    names = {row["metric"] for row in rows}
    figures = (
        *("hr", "recall", "precision", "r_precision", "ndcg", "mrr", "map", "rbp", "debiased_recall", "debiased_ndcg"),
        *("coverage", "gini", "novelty", "popularity_lift", "serendipity", "intra_list_distance", "miscalibration"),
    )
    assert names == {f"{name}@{k}" for name in figures for k in (5, 20)}
    assert all(row["low"] <= row["value"] <= row["high"] for row in rows)


def test_a_perfect_list_scores_one(copy_of: Path, run_stage: Callable[[str, Path], None]) -> None:
    test = pl.read_parquet(copy_of / "split" / "test.parquet")
    perfect = test.select("user_id", "item_id", pl.lit(1, pl.Int32).alias("rank"), pl.lit(1.0, pl.Float32).alias("score"))
    perfect.sort("user_id").write_parquet(copy_of / "baselines" / "oracle.parquet")
    run_stage("evaluate", copy_of)
    rows = json.loads((copy_of / "evaluate" / "metrics.json").read_text())
    found = {row["metric"]: row["value"] for row in rows if row["model"] == "oracle"}
    assert found["ndcg@5"] == found["hr@5"] == found["recall@20"] == found["map@5"] == 1
    verdict = json.loads((copy_of / "evaluate" / "comparisons.json").read_text())["verdict"]
    assert verdict.startswith("two-tower does NOT beat on NDCG@5: oracle (")
    page = (copy_of / "evaluate" / "report.html").read_text()
    assert page.index("does NOT beat") < page.index("<h1>")


def test_a_list_that_holds_an_item_twice_is_refused(
    copy_of: Path, run_stage: Callable[[str, Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    path = copy_of / "retrieve" / "candidates.parquet"
    table = pl.read_parquet(path)
    table.with_columns(pl.col("item_id").first().over("user_id")).write_parquet(path)
    with pytest.raises(SystemExit) as caught:
        run_stage("evaluate", copy_of)
    assert caught.value.code == 2
    assert "each rank and item once" in capsys.readouterr().err


def protocol_of(run: Path) -> dict[str, str]:
    lines = json.loads((run / "evaluate" / "manifest.json").read_text())["facts"]["protocol"]
    return dict(line.split(": ", 1) for line in lines)


def test_the_protocol_is_stated_line_by_line(finished: Path) -> None:
    page, stated = unescape((finished / "evaluate" / "report.html").read_text()), protocol_of(finished)
    for label, text in stated.items():
        assert f"<dt>{label}</dt><dd>{text}</dd>" in page
    train = pl.read_parquet(finished / "split" / "train.parquet")
    assert stated["Split"] == "leave_last_out: each user's last event is test, the second last validation"
    assert stated["Trained on"].startswith(f"{train.height:,} events: all but each user's last two events")
    assert f": {train['item_id'].n_unique():,} items" in stated["Catalogue"]
    assert "count as misses" in stated["Missing targets"]
    assert "train and validation events are removed" in stated["Seen"]
    assert stated["Ties"] == "0 events share their user's previous time, and stand as in the file"
    assert stated["Request time"] == "known: the time of the user's held-out event"
    assert "the best on validation: NDCG@10" in stated["Epoch"]


def test_a_protocol_without_validation_and_times_is_stated_as_it_was(unvalidated: Path) -> None:
    stated = protocol_of(unvalidated)
    assert stated["Split"] == "leave_last_out: each user's last event is test; there is no validation part"
    assert stated["Trained on"].endswith(" events: all but each user's last event")
    assert "validation" not in stated["Seen"]
    assert stated["Ties"].endswith("shuffled, seed 4")
    assert stated["Request time"].startswith("no times at all")
    assert stated["Epoch"].startswith("no validation part: trained for 3 epochs, the last is kept")


def test_targets_outside_the_catalogue_are_counted_and_miss(copy_of: Path, run_stage: Callable[[str, Path], None]) -> None:
    path = copy_of / "split" / "test.parquet"
    strange = pl.when(pl.int_range(pl.len()) < 30).then(pl.lit("never seen")).otherwise("item_id").alias("item_id")
    pl.read_parquet(path).with_columns(strange).write_parquet(path)
    run_stage("evaluate", copy_of)
    assert protocol_of(copy_of)["Missing targets"].startswith("30 of 150 relevant items")
    assert "(ceiling of recall 0.8000)" in protocol_of(copy_of)["Missing targets"]


@pytest.fixture
def evaluate_after(copy_of: Path, run_stage: Callable[[str, Path], None]) -> Callable[..., dict]:
    """Retrieve with other settings, judge, and read what the stage states."""

    def run(**settings: object) -> dict:
        change_settings(copy_of, "retrieve", **settings)
        for stage in ("retrieve", "evaluate"):
            run_stage(stage, copy_of)
        compared = json.loads((copy_of / "evaluate" / "comparisons.json").read_text())
        metrics = json.loads((copy_of / "evaluate" / "metrics.json").read_text())
        return compared | {"n_users": metrics[0]["n_users"], "metrics": metrics}

    return run


def test_of_a_list_of_users_only_they_are_judged_in_model_and_baselines(
    copy_of: Path, evaluate_after: Callable, tmp_path: Path
) -> None:
    users = pl.read_parquet(copy_of / "pairs" / "users.parquet")["user_id"].head(40)
    (tmp_path / "users.txt").write_text("\n".join(users))
    found = evaluate_after(users=str(tmp_path / "users.txt"))
    assert found["n_users"] <= 40
    assert len({row["n_users"] for row in found["metrics"]}) == 1


def test_a_filtered_run_proves_nothing(copy_of: Path, evaluate_after: Callable, tmp_path: Path) -> None:
    (tmp_path / "deny.txt").write_text(pl.read_parquet(copy_of / "pairs" / "items.parquet")["item_id"][0])
    found = evaluate_after(deny=str(tmp_path / "deny.txt"))
    assert found["is_proved"] is False
    assert found["verdict"].startswith("Nothing is proved: filters hold for the lists of two-tower alone")
