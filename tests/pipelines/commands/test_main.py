import json
from pathlib import Path

import polars as pl
import pytest


def test_recommend_prints_what_the_candidates_hold(recsys, finished: Path) -> None:
    code, out, _ = recsys("recommend", "u00004", "-k", "5", "--run", str(finished), "--json")
    answer = json.loads(out)
    table = pl.read_parquet(finished / "retrieve" / "candidates.parquet").filter(pl.col("user_id") == "u00004")
    assert code == 0
    assert [item["item_id"] for item in answer["items"]] == table["item_id"].head(5).to_list()
    assert answer["items"][0]["title"].startswith("Tale ")


def test_recommend_shows_history_and_titles(recsys, finished: Path) -> None:
    _, out, _ = recsys("recommend", "u00004", "--run", str(finished))
    assert "that user u00004 has seen" in out
    assert "recommended to user u00004" in out


def test_similar_never_names_the_item_itself(recsys, finished: Path) -> None:
    _, out, _ = recsys("similar", "i00004", "-k", "7", "--run", str(finished), "--json")
    found = [item["item_id"] for item in json.loads(out)["items"]]
    assert len(found) == 7
    assert "i00004" not in found


def test_the_newest_run_is_taken(recsys, finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(finished.parent.parent)
    code, out, _ = recsys("recommend", "u00004", "--json")
    assert code == 0
    assert json.loads(out)["run"] == f"artifacts/{finished.name}"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("recommend", "nobody"), "the user must be in the training set, got 'nobody'"),
        (("similar", "nothing"), "the item must be in the training set or added, got 'nothing'"),
        (("recommend", "u00004", "-k", "9999"), "k must be at most the catalogue"),
        (("recommend", "u00004", "--only", "genre"), "--only must be column=value, got 'genre'"),
        (("recommend", "u00004", "--only", "title=x"), "'title' must be a category column of items"),
        (("explain", "u00004", "nothing"), "the item must be in the training set, got 'nothing'"),
    ],
)
def test_what_is_not_there_is_one_sentence_and_code_2(recsys, finished: Path, arguments, expected) -> None:
    code, _, err = recsys(*arguments, "--run", str(finished))
    assert code == 2
    assert expected in err


def test_without_a_run_it_says_how_to_start_one(recsys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = recsys("recommend", "x")
    assert code == 2
    assert "make run" in err


def test_doctor_reports_and_fails_on_a_wrong_data_folder(recsys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RECSYS_DATA_DIR", raising=False)
    code, out, _ = recsys("doctor", "--json")
    assert code == 0
    assert json.loads(out)["torch"]["ok"]
    monkeypatch.setenv("RECSYS_DATA_DIR", "/nowhere/at/all")
    code, out, _ = recsys("doctor")
    assert code == 1
    assert "correct RECSYS_DATA_DIR" in out


def test_recommend_keeps_the_filters_of_the_request(recsys, finished: Path) -> None:
    items = pl.read_parquet(finished / "ingest" / "items.parquet")
    column = next(name for name, dtype in items.schema.items() if dtype == pl.List(pl.String))
    value = items[column].explode().drop_nulls().mode()[0]
    run = ("--run", str(finished), "--json")
    _, out, _ = recsys("recommend", "u00004", "-k", "5", "--only", f"{column}={value}", *run)
    found = [item["item_id"] for item in json.loads(out)["items"]]
    assert found
    assert items.filter(pl.col("item_id").is_in(found))[column].list.contains(value).all()
    _, out, _ = recsys("recommend", "u00004", "-k", "5", "--deny", found[0], *run)
    assert found[0] not in [item["item_id"] for item in json.loads(out)["items"]]


def test_explain_names_items_of_the_history(recsys, finished: Path) -> None:
    code, out, _ = recsys("explain", "u00004", "i00004", "-k", "3", "--run", str(finished), "--json")
    because = json.loads(out)["because"]
    assert code == 0
    assert len(because) == 3
    assert because[0]["fall"] >= because[1]["fall"] >= because[2]["fall"]
    _, out, _ = recsys("explain", "u00004", "i00004", "--run", str(finished))
    assert "because of" in out
