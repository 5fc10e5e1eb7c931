import gzip
import hashlib
from functools import partial
from pathlib import Path

import pytest

from recsys.core.errors import SourceError
from recsys.data import amazon
from recsys.data.amazon import locate_amazon

CONTENT = {"Beauty.txt": b"1 10 11 12\n", "Beauty_item2attributes.json": b'{"10": [1]}'}


# Two small files stand for the published ones.
PUBLISHED = {"amazon-beauty": {file: hashlib.sha256(data).hexdigest() for file, data in CONTENT.items()}}
locate = partial(locate_amazon, "amazon-beauty", published=PUBLISHED)


def _put(folder: Path, *, zipped: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for file, data in CONTENT.items():
        (folder / f"{file}.gz").write_bytes(gzip.compress(data)) if zipped else (folder / file).write_bytes(data)


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("folder", ["", "amazon-yelp-s3rec", "amazon-beauty"])
def test_a_folder_that_holds_the_files_is_taken(tmp_path: Path, folder: str, zipped: bool) -> None:
    _put(tmp_path / "own" / folder, zipped=zipped)
    log, attributes = locate(data_dir=tmp_path / "own", raw=tmp_path / "raw")
    assert [path.name.removesuffix(".gz") for path in (log, attributes)] == list(CONTENT)
    assert log.parent == tmp_path / "own" / folder


def test_without_a_folder_they_are_fetched_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def fetch(url: str, target: Path, *, on_progress: object) -> None:
        asked.append(url)
        target.write_bytes(CONTENT[target.name])

    monkeypatch.setattr(amazon, "fetch_archive", fetch)
    first = locate(data_dir=None, raw=tmp_path / "raw")
    assert locate(data_dir=None, raw=tmp_path / "raw") == first
    assert [url.rsplit("/", 1)[1] for url in asked] == list(CONTENT)
    assert all(url.startswith("https://") for url in asked)


def test_other_files_are_refused_with_both_hashes(tmp_path: Path) -> None:
    _put(tmp_path, zipped=False)
    (tmp_path / "Beauty.txt").write_bytes(b"1 99\n")
    with pytest.raises(SourceError, match=r"must have the SHA-256 .*… of the published file, got .*remove it"):
        locate(data_dir=tmp_path, raw=tmp_path / "raw")


def test_a_broken_archive_is_refused(tmp_path: Path) -> None:
    _put(tmp_path, zipped=True)
    (tmp_path / "Beauty.txt.gz").write_bytes(b"no gzip")
    with pytest.raises(SourceError, match="must be readable"):
        locate(data_dir=tmp_path, raw=tmp_path / "raw")


def test_an_address_that_is_not_there_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(url: str, target: Path, *, on_progress: object) -> None:
        raise SourceError(f"{url} must be reachable, got: nothing")

    monkeypatch.setattr(amazon, "fetch_archive", fetch)
    with pytest.raises(SourceError, match="RECSYS_DATA_DIR"):
        locate(data_dir=None, raw=tmp_path / "raw")


def test_a_folder_that_lacks_a_file_is_passed_over(tmp_path: Path) -> None:
    _put(tmp_path / "raw", zipped=False)
    (tmp_path / "own").mkdir()
    for name in ("Beauty.txt", "Beauty.txt.gz"):
        (tmp_path / "own" / name).write_bytes(CONTENT["Beauty.txt"])
    log, _ = locate(data_dir=tmp_path / "own", raw=tmp_path / "raw")
    assert log.parent == tmp_path / "raw"
