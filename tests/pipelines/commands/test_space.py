import json
from pathlib import Path

import polars as pl
import pytest


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


def test_export_names_the_files_it_wrote(recsys, finished: Path, tmp_path: Path) -> None:
    code, out, _ = recsys("export", str(tmp_path / "out"), "--run", str(finished))
    assert code == 0
    assert all(Path(line).is_file() for line in out.splitlines()) and len(out.splitlines()) == 4


def test_an_export_into_a_file_is_refused_and_the_file_stays(recsys, finished: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    code, _, err = recsys("export", str(tmp_path / "out"), "--run", str(finished))
    assert code == 2 and "must be a folder or not there yet" in err
    assert (tmp_path / "out").read_text() == "mine"


def test_augment_shows_a_history_beside_two_views_and_as_json(recsys, finished: Path) -> None:
    code, out, _ = recsys("augment", "--user", "u00003", "--run", str(finished))
    assert code == 0 and "train events of user u00003, and two views of them" in out
    assert "history" in out and "view 1: " in out and "view 2: " in out
    _, out, _ = recsys("augment", "--user", "u00003", "--run", str(finished), "--seed", "4", "--json")
    found = json.loads(out)
    assert [len(found["views"]), found["seed"], found["views"][0]["name"]] == [3, 4, "history"]


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


@pytest.mark.parametrize("command", [("search", "moon"), ("recommend", "u00004"), ("similar", "i00004"), ("export", "out")])
def test_a_run_that_is_not_finished_is_one_sentence(recsys, copy_of: Path, command: tuple[str, ...]) -> None:
    (copy_of / "embed" / "items.npy").unlink()
    code, _, err = recsys(*command, "--run", str(copy_of))
    assert code == 2 and "must be a run with embeddings" in err and "Traceback" not in err
