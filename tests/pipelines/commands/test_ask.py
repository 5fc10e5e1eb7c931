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


def test_search_finds_items_and_keeps_the_filters(recsys, finished: Path) -> None:
    items = pl.read_parquet(finished / "ingest" / "items.parquet")
    column = next(name for name, dtype in items.schema.items() if dtype == pl.List(pl.String))
    value = items[column].explode().drop_nulls().mode()[0]
    code, out, _ = recsys("search", value, "-k", "4", "--run", str(finished))
    assert code == 0 and f"nearest to '{value}'" in out
    _, out, _ = recsys("search", value, "-k", "4", "--only", f"{column}={value}", "--run", str(finished), "--json")
    found = json.loads(out)
    assert found["text"] == value and [item["rank"] for item in found["items"]] == [1, 2, 3, 4]
    assert (
        items.filter(pl.col("item_id").is_in([item["item_id"] for item in found["items"]]))[column].list.contains(value).all()
    )
    _, out, _ = recsys("search", value, "-k", "4", "--deny", found["items"][0]["item_id"], "--run", str(finished), "--json")
    assert found["items"][0]["item_id"] not in [item["item_id"] for item in json.loads(out)["items"]]


def test_unknown_words_end_in_one_sentence(recsys, finished: Path) -> None:
    code, _, err = recsys("search", "qqq", "--run", str(finished))
    assert code == 2 and "use other words" in err and "Traceback" not in err


def test_a_new_user_gets_items_by_history_but_not_those_taken(recsys, finished: Path) -> None:
    taken = pl.read_parquet(finished / "split" / "train.parquet")["item_id"].head(3).to_list()
    options = [part for item in taken for part in ("--history", item)]
    code, out, _ = recsys("recommend", *options, "-k", "6", "--run", str(finished), "--json")
    found = [item["item_id"] for item in json.loads(out)["items"]]
    assert code == 0 and len(found) == 6 and not set(found) & set(taken)
    _, out, _ = recsys("recommend", *options, "-k", "6", "--run", str(finished))
    assert "recommended to a new user" in out


def test_a_new_user_gets_items_by_attributes(recsys, finished: Path) -> None:
    users = pl.read_parquet(finished / "ingest" / "users.parquet")
    column = next(name for name in users.columns if name != "user_id")
    value = users[column].drop_nulls()[0]
    value = value[0] if isinstance(value, pl.Series | list) else value
    code, out, _ = recsys("recommend", "--attribute", f"{column}={value}", "-k", "4", "--run", str(finished), "--json")
    assert code == 0 and len(json.loads(out)["items"]) == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "a user id, --history or --attribute must be given"),
        (("--history", "nothing"), "some item of a history must be in the training set"),
        (("--attribute", "shoe=44"), "an attribute must be a column of users, got 'shoe'"),
        (("--history", "i00001", "--attribute", "a=b"), "--history must stand without --attribute"),
        (("u00004", "--history", "i00001"), "must stand without a user, got 'u00004' too"),
    ],
)
def test_new_users_of_whom_nothing_can_be_said_are_refused(recsys, finished: Path, arguments, message: str) -> None:
    code, _, err = recsys("recommend", *arguments, "--run", str(finished))
    assert code == 2 and message in err.replace("\n", " ")
