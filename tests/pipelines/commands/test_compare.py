import json
from pathlib import Path

import polars as pl
import pytest


def test_two_runs_are_compared_by_what_changed_and_by_the_test(recsys, finished: Path, copy_of: Path) -> None:
    _, out, _ = recsys("compare", str(finished), str(copy_of), "--json")
    told = json.loads(out)
    assert told["overlap"] == 1.0 and told["on"] == str(finished)
    assert {each["says"] for each in told["figures"]} == {"not distinguishable"}
    _, out, _ = recsys("compare", str(finished), str(copy_of))
    assert "rank biased overlap" in out and "ndcg@10" in out and "not distinguishable" in out


def test_runs_with_different_tests_are_not_judged_on_one_of_them_unasked(recsys, finished: Path, unvalidated: Path) -> None:
    _, out, _ = recsys("compare", str(finished), str(unvalidated), "--json")
    assert json.loads(out)["figures"] == [] and json.loads(out)["on"] is None
    _, out, _ = recsys("compare", str(finished), str(unvalidated))
    assert "the two runs have different tests" in " ".join(out.split())
    _, out, _ = recsys("compare", str(finished), str(unvalidated), "--on", str(finished), "--json")
    assert json.loads(out)["figures"]


def test_lists_of_another_system_are_judged_on_the_test_that_is_named(recsys, finished: Path, tmp_path: Path) -> None:
    test = pl.read_parquet(finished / "split" / "test.parquet").select("user_id", "item_id").unique("user_id")
    test.with_columns(score=pl.lit(0.5)).write_csv(tmp_path / "perfect.csv")
    knn = finished / "baselines" / "item_knn.parquet"
    code, out, err = recsys("compare", str(knn), str(tmp_path / "perfect.csv"), "--on", str(finished), "-k", "1", "--json")
    assert code == 0, err
    figures = {each["metric"]: each for each in json.loads(out)["figures"]}
    assert figures["hr@1"]["second"] == 1.0 and figures["hr@1"]["says"] == "second is better"
    _, out, _ = recsys("compare", str(knn), str(tmp_path / "perfect.csv"))
    assert "no run is named; name the run whose test both are judged on with --on" in " ".join(out.split())


def test_what_is_no_run_and_no_table_of_lists_is_refused(recsys, finished: Path, tmp_path: Path) -> None:
    pl.DataFrame({"item_id": ["a"]}).write_parquet(tmp_path / "other.parquet")
    code, _, err = recsys("compare", str(finished), str(tmp_path / "other.parquet"))
    assert code == 2 and "column 'user_id' must be present" in err
    code, _, err = recsys("compare", str(finished), str(finished), "--on", str(tmp_path))
    assert code == 2 and "must be a run folder with split and retrieve done" in err


@pytest.fixture
def shown(finished: Path, tmp_path: Path) -> Path:
    """A log that showed each user one of all items by the same chance; rewards are for what the user's list begins with."""
    lists = pl.read_parquet(finished / "retrieve" / "candidates.parquet").filter(pl.col("rank") <= 20)
    rewarded = (lists["rank"] <= 5).cast(pl.Float64)
    path = tmp_path / "shown.csv"
    lists.select("user_id", "item_id", reward=rewarded, propensity=pl.lit(0.05)).write_csv(path)
    return path


def test_lists_are_worth_what_the_log_says_they_would_have_earned(recsys, finished: Path, shown: Path) -> None:
    code, out, err = recsys("off-policy", str(shown), str(finished), "-k", "5", "--json")
    assert code == 0, err
    told = json.loads(out)
    assert told["logged"]["value"] == pytest.approx(0.25)
    assert told["ips"]["value"] == pytest.approx(1.0) and told["snips"]["value"] == pytest.approx(1.0)
    assert told["doubly_robust"]["value"] == pytest.approx(1.0, abs=0.05)
    _, out, _ = recsys("off-policy", str(shown), str(finished), "-k", "5")
    assert "doubly robust" in out and "events of equal weight" in out


def test_a_log_without_chances_is_refused(recsys, finished: Path, tmp_path: Path) -> None:
    pl.DataFrame({"user_id": ["a"], "item_id": ["b"], "reward": [1]}).write_parquet(tmp_path / "log.parquet")
    code, _, err = recsys("off-policy", str(tmp_path / "log.parquet"), str(finished))
    assert code == 2 and "column 'propensity' must be present" in err
