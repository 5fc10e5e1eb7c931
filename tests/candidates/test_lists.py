from pathlib import Path

import polars as pl
import pytest

from recsys.candidates.lists import read_lists
from recsys.core.errors import DataError, SchemaError, SourceError


def test_candidates_come_back_as_they_were_written(finished: Path) -> None:
    path = finished / "retrieve" / "candidates.parquet"
    written = pl.read_parquet(path).select("user_id", "item_id", "rank").sort("user_id", "rank")
    assert read_lists(path).equals(written)


@pytest.mark.parametrize("name", ["other.csv", "other.tsv"])
def test_tables_of_another_system_are_ordered_by_their_scores(tmp_path: Path, name: str) -> None:
    text = "item_id,score,user_id\n007,0.1,2\n8,0.9,2\n9,-3,1\n8,-2,1\n10,-3,1\n"
    (tmp_path / name).write_text(text if name.endswith("csv") else text.replace(",", "\t"))
    assert read_lists(tmp_path / name).rows() == [("1", "8", 1), ("1", "9", 2), ("1", "10", 3), ("2", "8", 1), ("2", "007", 2)]


def test_ranks_from_0_with_holes_and_ids_that_are_numbers_are_read(tmp_path: Path) -> None:
    pl.DataFrame({"user_id": [1.0, 1.0], "item_id": [5, 6], "rank": [4, 0]}).write_parquet(tmp_path / "other.parquet")
    assert read_lists(tmp_path / "other.parquet").rows() == [("1", "6", 1), ("1", "5", 2)]


@pytest.mark.parametrize(
    ("columns", "error", "says"),
    [
        (
            {"user": ["a"], "item_id": ["b"], "rank": [1]},
            SchemaError,
            "column 'user_id' must be present, got user, item_id, rank",
        ),
        ({"user_id": ["a"], "item_id": ["b"]}, SchemaError, "column rank or score must be present"),
        ({"user_id": ["a", "a"], "item_id": ["b", "b"], "rank": [1, 2]}, DataError, "hold an item once, got 1 doubles"),
        ({"user_id": ["a"], "item_id": ["b"], "score": [float("nan")]}, DataError, "a score that is a number, got 1 without"),
        ({"user_id": ["a"], "item_id": ["b"], "rank": ["first"]}, DataError, "a rank that is a number, got 1 without"),
    ],
)
def test_what_is_no_table_of_lists_is_refused(tmp_path: Path, columns, error, says) -> None:  # type: ignore[no-untyped-def]
    pl.DataFrame(columns).write_parquet(tmp_path / "other.parquet")
    with pytest.raises(error, match=says):
        read_lists(tmp_path / "other.parquet")
    with pytest.raises(SourceError):
        read_lists(tmp_path / "nothing.parquet")
