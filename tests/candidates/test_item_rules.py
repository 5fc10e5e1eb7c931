from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from recsys.candidates.item_rules import ItemRules, allowed_items, read_ids
from recsys.core.errors import DataError
from recsys.data.vocabulary import fit_vocabulary

_NOW = datetime(2026, 3, 1, tzinfo=UTC)


def _days(*days):
    return pl.Series([None if day is None else _NOW + timedelta(days=day) for day in days], dtype=pl.Datetime("us", "UTC"))


@pytest.fixture
def items():
    return fit_vocabulary(pl.Series(["a", "b", "c", "d", "e"]))


@pytest.fixture
def table():
    """Four rows; item e has none."""
    return pl.DataFrame(
        {
            "item_id": ["d", "c", "b", "a"],
            "title": ["D", "C", "B", "A"],
            "genre": [["x"], ["x", "y"], [], ["y"]],
            "start": _days(1, None, -1, 0),
            "end": _days(5, 5, 0, None),
        }
    )


@pytest.fixture
def allowed(items, table):
    """The ids that pass."""

    def run(**rules):
        mask = allowed_items(ItemRules(now=_NOW, **rules), table, items=items)
        return None if mask is None else "".join(items.ids.filter(pl.Series(mask)))

    return run


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({}, None),
        ({"allow": ["a", "e", "unknown"]}, "ae"),
        ({"deny": ["a", "unknown"]}, "bcde"),
        ({"categories": {"genre": ["x"]}}, "cd"),
        ({"categories": {"genre": ["x", "y"]}}, "acd"),
        ({"categories": {"genre": ["x"]}, "deny": ["d"]}, "c"),
        ({"available_from": "start"}, "abce"),
        ({"available_until": "end"}, "acde"),
        ({"available_from": "start", "available_until": "end"}, "ace"),
        ({"released": "start", "min_age_days": 0.5}, "bce"),
        ({"released": "start", "min_age_days": 1}, "bce"),
        ({"released": "start", "min_age_days": 1.5}, "ce"),
    ],
)
def test_items_that_break_a_rule_are_left_out(allowed, rules, expected):
    assert allowed(**rules) == expected


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"categories": {"title": ["x"]}}, "'title' must be a category column of items, got columns: genre"),
        ({"categories": {"genre": ["z"]}}, "'z' must be a value of 'genre', got values such as x, y"),
        ({"available_from": "genre"}, "'genre' must be a time column of items, got columns: start, end"),
        ({"allow": ["unknown"]}, "some id of allow must be an item of train, got none of 1, first 'unknown'"),
        ({"deny": ["50.0", "x"]}, "some id of deny must be an item of train, got none of 2, first '50.0'"),
        ({"allow": ["a"], "deny": ["a"]}, "at least one of 5 items must be left, got none"),
        ({"allow": []}, "at least one of 5 items must be left, got none"),
    ],
)
def test_rules_that_cannot_be_applied_are_refused(allowed, rules, message):
    with pytest.raises(DataError, match=message):
        allowed(**rules)


def test_ids_are_read_from_tables_and_from_lines(tmp_path):
    frame = pl.DataFrame({"other": [1, 2], "item_id": ["007", "b"]})
    frame.write_parquet(tmp_path / "ids.parquet")
    frame.write_csv(tmp_path / "ids.csv")
    (tmp_path / "ids.txt").write_text("007\n\n  b \n")
    for name in ("ids.parquet", "ids.csv", "ids.txt"):
        assert read_ids(str(tmp_path / name), column="item_id", name="deny") == ["007", "b"]


@pytest.mark.parametrize("name", ["missing.csv", "missing.txt", "wrong.csv", "wrong.parquet", "binary.txt"])
def test_a_file_without_ids_is_refused_in_one_sentence(tmp_path, name):
    (tmp_path / "wrong.csv").write_text("id\n1\n")
    (tmp_path / "wrong.parquet").write_text("no table")
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"deny: .* must be a table with the column item_id, or one id a line, got"):
        read_ids(str(tmp_path / name), column="item_id", name="deny")


@pytest.mark.parametrize("name", ["deny.tsv", "deny.csv.gz", "deny.xlsx"])
def test_a_file_of_another_kind_is_not_taken_for_lines(tmp_path, name):
    (tmp_path / name).write_text("item_id\na\n")
    with pytest.raises(DataError, match=r"must end in \.parquet, \.csv or \.txt"):
        read_ids(str(tmp_path / name), column="item_id", name="deny")


def test_capital_letters_do_not_change_the_kind(tmp_path):
    (tmp_path / "DENY.CSV").write_text("item_id\na\n")
    assert read_ids(str(tmp_path / "DENY.CSV"), column="item_id", name="deny") == ["a"]


def test_ids_of_a_list_are_read_as_those_of_the_log(tmp_path):
    pl.DataFrame({"item_id": [1.0, 2.0, None]}).write_parquet(tmp_path / "floats.parquet")
    assert read_ids(str(tmp_path / "floats.parquet"), column="item_id", name="deny") == ["1", "2"]
    (tmp_path / "marked.txt").write_bytes(b"\xef\xbb\xbf007\nb\n")
    assert read_ids(str(tmp_path / "marked.txt"), column="item_id", name="deny") == ["007", "b"]
