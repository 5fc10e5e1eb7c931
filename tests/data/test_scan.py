from pathlib import Path

import pytest

from recsys.core.errors import SchemaError, SourceError
from recsys.data.scan import TextFormat, find_files, local_files, plain_or_gzipped, scan_table


def _write(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize("separator", [",", "::"])
def test_a_header_that_names_a_column_twice_is_refused(tmp_path: Path, separator: str) -> None:
    path = _write(tmp_path / "log.csv", separator.join(["user_id", "user_id", "item_id"]) + "\n")
    with pytest.raises(SchemaError, match="log: column names must be unique, got user_id, user_id, item_id"):
        scan_table(path, TextFormat(separator=separator), name="log")


def test_missing_and_empty_files_are_refused_by_path(tmp_path: Path) -> None:
    for path in ("none.csv", "*.csv", ""):
        with pytest.raises(SourceError, match=r"items: .* must be a file or match some, got no such file; correct"):
            local_files(str(tmp_path / path), name="items")
    _write(tmp_path / "a.csv", "a,b\n1,2\n")
    (tmp_path / "b.csv").touch()
    with pytest.raises(SourceError, match=r"items: .*b\.csv must hold rows, got an empty file"):
        local_files(str(tmp_path / "*.csv"), name="items")


def test_a_file_that_is_no_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "log.parquet").write_bytes(b"no parquet at all")
    with pytest.raises(SourceError, match=r"log: .*log\.parquet must be a readable table, got: "):
        scan_table(str(tmp_path / "log.parquet"), TextFormat(), name="log")
    path = _write(tmp_path / "log.csv", "1,2,3\n")
    with pytest.raises(SourceError, match="must be a readable table"):
        scan_table(path, TextFormat(header=["user_id", "item_id"]), name="log")


def test_a_glob_finds_files_below_folders_in_the_order_of_names(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / name).mkdir()
        _write(tmp_path / name / "part.csv", "x")
    assert find_files(str(tmp_path / "*" / "part.csv")) == [tmp_path / name / "part.csv" for name in ("a", "b")]
    assert find_files(str(tmp_path / "**" / "part.csv")) == [tmp_path / name / "part.csv" for name in ("a", "b")]
    assert find_files(str(tmp_path)) == []


def test_text_stays_text_whatever_it_looks_like(tmp_path: Path) -> None:
    table = scan_table(_write(tmp_path / "log.csv", "a,b\n007,1.0\n"), TextFormat(), name="log").collect()
    assert table.rows() == [("007", "1.0")]


def test_a_plain_file_comes_before_its_archive_and_a_missing_one_is_none(tmp_path: Path) -> None:
    assert plain_or_gzipped(tmp_path, "log.txt") is None
    (tmp_path / "log.txt.gz").touch()
    assert plain_or_gzipped(tmp_path, "log.txt") == tmp_path / "log.txt.gz"
    (tmp_path / "log.txt").touch()
    assert plain_or_gzipped(tmp_path, "log.txt") == tmp_path / "log.txt"
