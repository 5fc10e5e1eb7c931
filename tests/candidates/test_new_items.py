"""Items added by what is known of them: checked, kept, shown."""

import json
from pathlib import Path

import polars as pl
import pytest

from recsys.candidates.new_items import keep_known, like_items, read_all_items, read_known, read_new_items
from recsys.core.errors import DataError
from tests.finished_run import change_settings


def _write(path: Path, **columns: object) -> Path:
    pl.DataFrame(columns).write_parquet(path)
    return path


def test_ids_become_text(tmp_path: Path) -> None:
    assert read_new_items(_write(tmp_path / "new.parquet", item_id=[7, 8]))["item_id"].to_list() == ["7", "8"]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"title": ["a"]}, "must have item_id, text or whole numbers, got title String"),
        ({"item_id": [1.5]}, "got item_id Float64"),
        ({"item_id": ["a", None]}, "an id in each row"),
        ({"item_id": [""]}, "an id in each row"),
        ({"item_id": pl.Series([], dtype=pl.String)}, "an id in each row"),
    ],
)
def test_tables_without_ids_are_refused(tmp_path: Path, columns: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_new_items(_write(tmp_path / "new.parquet", **columns))


def test_a_file_that_is_no_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "new.parquet").write_text("item_id\n1\n")
    with pytest.raises(DataError, match="must be a Parquet table of items"):
        read_new_items(tmp_path / "new.parquet")


def test_columns_are_read_as_those_of_the_run_and_missing_ones_are_null(finished: Path) -> None:
    schema = pl.read_parquet_schema(finished / "ingest" / "items.parquet")
    category = next(name for name, dtype in schema.items() if dtype == pl.List(pl.String))
    table = like_items(finished, pl.DataFrame({"item_id": ["n"], category: ["a|b"], "unknown": [1]}))
    assert table.schema == schema
    assert table[category].to_list() == [["a", "b"]] and table["title"].to_list() == [None]
    with pytest.raises(DataError, match="must have the columns of the run's items"):
        like_items(finished, pl.DataFrame({"item_id": ["n"], "year": ["next year"]}))


def test_categories_and_times_are_read_as_the_run_s_own_files_were(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "ingest").mkdir()
    read = {"category_separator": ",", "timestamp_unit": "s", "timestamp_format": None}
    (tmp_path / "config" / "ingest.json").write_text(json.dumps({"settings": read}))
    schema = {"item_id": pl.String(), "genre": pl.List(pl.String), "release": pl.Datetime("us", "UTC")}
    pl.DataFrame(schema=schema).write_parquet(tmp_path / "ingest" / "items.parquet")
    new = pl.DataFrame({"item_id": ["n", "m"], "genre": ["Drama, War,", None], "release": [1_767_225_600, None]})
    table = like_items(tmp_path, new)
    assert table["genre"].to_list() == [["Drama", "War"], []]
    assert table["release"].dt.strftime("%Y-%m-%d").to_list() == ["2026-01-01", None]
    with pytest.raises(DataError, match="column 'release' must hold times as \\[ingest\\] of the run has them, got 'soon'"):
        like_items(tmp_path, new.with_columns(release=pl.Series(["soon", None])))


def test_what_is_kept_stands_behind_the_run_s_items_and_gives_way_to_them(copy_of: Path) -> None:
    assert read_known(copy_of).is_empty()
    for ids, titles in ((["n1", "n2"], ["first", "second"]), (["n2"], ["corrected"])):
        keep_known(copy_of, like_items(copy_of, pl.DataFrame({"item_id": ids, "title": titles})))
    items = read_all_items(copy_of)
    assert items["item_id"].to_list()[-2:] == ["n1", "n2"] and items["title"].to_list()[-2:] == ["first", "corrected"]
    path = copy_of / "ingest" / "items.parquet"
    own = pl.read_parquet(path)
    assert items.height == own.height + 2
    ingested = own.head(1).with_columns(item_id=pl.lit("n1"), title=pl.lit("ingested"))
    pl.concat([own, ingested]).with_columns(colour=pl.lit("red")).write_parquet(path)
    items = read_all_items(copy_of)
    assert items.filter(pl.col("item_id") == "n1")["title"].to_list() == ["ingested"]
    assert items.filter(pl.col("item_id") == "n2").select("title", "colour").row(0) == ("corrected", None)


def test_a_vector_with_a_row_that_cannot_be_read_changes_nothing(copy_of: Path, recsys, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    vector = [1.0] + [0.0] * 15
    pl.DataFrame({"item_id": ["v1"], "vector": [vector], "year": ["unknown"]}).write_parquet(tmp_path / "bad.parquet")
    code, _, err = recsys("add-items", str(tmp_path / "bad.parquet"), "--run", str(copy_of))
    assert code == 2 and "must have the columns of the run's items" in err
    pl.DataFrame({"item_id": ["v1"], "vector": [vector]}).write_parquet(tmp_path / "good.parquet")
    assert recsys("add-items", str(tmp_path / "good.parquet"), "--run", str(copy_of))[0] == 0


def test_added_items_are_found_by_search_recommended_and_shown_with_their_titles(
    copy_of: Path, recsys, run_stage, tmp_path: Path
) -> None:  # type: ignore[no-untyped-def]
    items = pl.read_parquet(copy_of / "ingest" / "items.parquet")
    twin = items.head(1).with_columns(item_id=pl.lit("twin"))
    before = pl.read_parquet(copy_of / "retrieve" / "candidates.parquet")
    twin.write_parquet(tmp_path / "new.parquet")
    code, out, err = recsys("add-items", str(tmp_path / "new.parquet"), "--run", str(copy_of))
    assert code == 0, err
    assert "1 items added" in out
    _, out, _ = recsys("search", items["title"][0], "-k", "60", "--run", str(copy_of))
    assert "twin" in out and items["title"][0] in out
    _, out, _ = recsys("recommend", "u00004", "-k", "121", "--run", str(copy_of), "--json")
    assert "twin" in out
    _, out, _ = recsys("similar", "twin", "-k", "5", "--run", str(copy_of), "--json")
    assert len(json.loads(out)["items"]) == 5 and "twin" not in [item["item_id"] for item in json.loads(out)["items"]]
    assert pl.read_parquet(copy_of / "retrieve" / "candidates.parquet").equals(before), "old candidates stay as they are"
    code, _, err = recsys("add-items", str(tmp_path / "new.parquet"), "--run", str(copy_of))
    assert code == 2 and "an id must be new" in err
    change_settings(copy_of, "train", seed=5)
    for stage in ("train", "embed", "index", "retrieve"):
        run_stage(stage, copy_of)
    assert pl.read_parquet(copy_of / "embed" / "cold_items.parquet")["item_id"].to_list() == ["twin"], "by another model"
    assert "twin" in pl.read_parquet(copy_of / "retrieve" / "similar.parquet")["item_id"]
