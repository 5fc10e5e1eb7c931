"""S3-Rec lines are histories whose order is their time."""

import gzip
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.core.errors import SourceError
from recsys.core.files import sha256_of
from recsys.data.s3rec import read_s3rec
from recsys.data.schema import CATEGORIES, INTERACTIONS, check_table


def _write(path: Path, text: str) -> Path:
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def _histories(path: Path) -> dict[str, list[tuple[str, int]]]:
    log = read_s3rec(interactions=str(path)).interactions.collect()
    check_table(log, INTERACTIONS, name="interactions")
    found: dict[str, list[tuple[str, int]]] = {}
    for user, item, second in log.with_columns(pl.col("timestamp").dt.epoch("s")).rows():
        found.setdefault(user, []).append((item, second))
    return found


@pytest.mark.parametrize("name", ["Beauty.txt", "Beauty.txt.gz"])
def test_the_nth_item_of_a_user_has_the_time_n_seconds(tmp_path: Path, name: str) -> None:
    path = _write(tmp_path / name, "1 10 9 10\n007 8\n")
    assert _histories(path) == {"1": [("10", 1), ("9", 2), ("10", 3)], "007": [("8", 1)]}
    raw = read_s3rec(interactions=str(path))
    assert (raw.has_time, raw.items, raw.users) == (False, None, None)
    assert raw.files == {str(path): sha256_of(path)}
    assert "do not redistribute" in raw.licence


@settings(deadline=None, max_examples=40)
@given(st.dictionaries(st.integers(1, 99).map(str), st.lists(st.integers(1, 20).map(str), min_size=1, max_size=9), min_size=1))
def test_every_history_is_read_back_in_order(tmp_path_factory: pytest.TempPathFactory, histories: dict[str, list[str]]) -> None:
    path = tmp_path_factory.mktemp("s3rec") / "log.txt"
    _write(path, "".join(f"{user} {' '.join(items)}\n" for user, items in histories.items()))
    expected = {user: [(item, position) for position, item in enumerate(items, start=1)] for user, items in histories.items()}
    assert _histories(path) == expected


def test_blank_lines_blanks_at_the_end_and_windows_line_ends_are_no_items(tmp_path: Path) -> None:
    path = _write(tmp_path / "log.txt", "1 10 9 \r\n\r\n2 8\r\n\n")
    assert _histories(path) == {"1": [("10", 1), ("9", 2)], "2": [("8", 1)]}


def test_a_user_without_items_has_no_events(tmp_path: Path) -> None:
    assert _histories(_write(tmp_path / "log.txt", "1 10\n2\n")) == {"1": [("10", 1)]}


@pytest.mark.parametrize("name", ["item2attributes.json", "item2attributes.json.gz"])
def test_attributes_are_categories_of_items(tmp_path: Path, name: str) -> None:
    log = _write(tmp_path / "log.txt", "1 10 9\n")
    side = _write(tmp_path / name, '{"10": [3, 4], "9": []}')
    raw = read_s3rec(interactions=str(log), attributes=str(side))
    assert raw.items.schema == {"item_id": pl.String, "attributes": CATEGORIES}
    assert raw.items.rows() == [("10", ["3", "4"]), ("9", [])]
    assert set(raw.files) == {str(log), str(side)}


@pytest.mark.parametrize("text", ["\n\n", "1\n2\n", "1,10,9\n", "1\t10\n"])
def test_a_file_of_another_format_is_refused(tmp_path: Path, text: str) -> None:
    path = _write(tmp_path / "log.txt", text)
    with pytest.raises(SourceError, match=r"log\.txt must hold lines 'user item item …', got none"):
        read_s3rec(interactions=str(path))


def test_a_missing_or_empty_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"none\.txt must be a file or match some, got no such file"):
        read_s3rec(interactions=str(tmp_path / "none.txt"))
    (tmp_path / "log.txt").touch()
    with pytest.raises(SourceError, match=r"log\.txt must hold rows, got an empty file"):
        read_s3rec(interactions=str(tmp_path / "log.txt"))


@pytest.mark.parametrize(
    ("name", "content"), [("log.txt", b"1 \xff\n"), ("log.txt.gz", b"1 10\n"), ("log.txt.gz", b"\x1f\x8b\x08")]
)
def test_bytes_that_are_no_text_are_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError, match=rf"{name} must be UTF-8 text \(plain or gzipped\), got: "):
        read_s3rec(interactions=str(tmp_path / name))


@pytest.mark.parametrize("content", ["[1]", "{", '{"10": 3}', '{"10": "34"}', '{"10": null}', "3"])
def test_attributes_of_another_shape_are_refused(tmp_path: Path, content: str) -> None:
    log, side = _write(tmp_path / "log.txt", "1 10\n"), _write(tmp_path / "a.json", content)
    with pytest.raises(SourceError, match=r"a\.json must be JSON of item to list of attributes"):
        read_s3rec(interactions=str(log), attributes=str(side))
