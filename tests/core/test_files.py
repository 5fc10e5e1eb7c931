"""Files appear whole or not at all, and what is read back is what was written."""

import hashlib
import math
import os
from pathlib import Path

import numpy as np
import pytest

from recsys.core.errors import ArtefactError
from recsys.core.files import (
    hash_folder,
    link_folder,
    publish_folder,
    read_array,
    read_json,
    sha256_of,
    write_array,
    write_atomically,
    write_json,
)


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_an_atomic_write_gives_the_file_its_name_and_makes_its_folder(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "er" / "note.txt"
    with write_atomically(target) as partial:
        partial.write_text("whole")
        assert not target.exists()
    assert target.read_text() == "whole"
    assert _names(target.parent) == ["note.txt"]


def test_an_error_while_writing_keeps_the_old_file_and_leaves_no_scraps(tmp_path: Path) -> None:
    target = tmp_path / "note.txt"
    target.write_text("old")
    with pytest.raises(RuntimeError, match="disk"), write_atomically(target) as partial:
        partial.write_text("half")
        raise RuntimeError("disk")
    assert target.read_text() == "old"
    assert _names(tmp_path) == ["note.txt"]


def test_an_error_while_writing_a_new_file_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), write_atomically(tmp_path / "note.txt") as partial:
        partial.write_text("half")
        raise KeyboardInterrupt
    assert _names(tmp_path) == []


def test_json_round_trips_with_sorted_keys_and_readable_letters(tmp_path: Path) -> None:
    path = tmp_path / "value.json"
    write_json(path, {"b": [1, None, True], "a": "Amélie"})
    assert read_json(path) == {"a": "Amélie", "b": [1, None, True]}
    text = path.read_text(encoding="utf-8")
    assert "Amélie" in text
    assert text.index('"a"') < text.index('"b"')
    assert text.endswith("\n")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_json_refuses_what_is_no_number_and_keeps_the_old_file(tmp_path: Path, value: float) -> None:
    path = tmp_path / "value.json"
    write_json(path, {"loss": 1.0})
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(path, {"loss": value})
    assert read_json(path) == {"loss": 1.0}


def test_a_missing_json_file_is_an_artefact_error_that_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match=r"spec\.json must exist, got no such file"):
        read_json(tmp_path / "spec.json")


@pytest.mark.parametrize("content", [b"{", b"", b"\xff\xfe"])
def test_a_file_that_is_not_json_is_an_artefact_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "spec.json"
    path.write_bytes(content)
    with pytest.raises(ArtefactError, match=r"spec\.json must be JSON, got .+; run the stage"):
        read_json(path)


@pytest.mark.parametrize("shape", [(3, 2), (0,), (4, 0)])
def test_an_array_round_trips_with_type_and_shape(tmp_path: Path, shape: tuple[int, ...]) -> None:
    array = np.arange(math.prod(shape), dtype=np.int32).reshape(shape)
    write_array(tmp_path / "a.npy", array)
    read = read_array(tmp_path / "a.npy")
    assert read.dtype == np.int32
    np.testing.assert_array_equal(read, array)
    assert read.shape == shape


def test_a_read_array_is_mapped_and_cannot_be_changed(tmp_path: Path) -> None:
    write_array(tmp_path / "a.npy", np.arange(3))
    read = read_array(tmp_path / "a.npy")
    assert isinstance(read, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        read[0] = 7


def test_an_object_array_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="allow_pickle"):
        write_array(tmp_path / "a.npy", np.array([{"a": 1}], dtype=object))
    assert _names(tmp_path) == []


def test_a_pickled_array_is_refused_and_its_code_never_runs(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "sprung"),)

    np.save(tmp_path / "a.npy", np.array([Trap()], dtype=object), allow_pickle=True)
    with pytest.raises(ArtefactError, match=r"a\.npy must be a \.npy array"):
        read_array(tmp_path / "a.npy")
    assert not (tmp_path / "sprung").exists()


def test_a_missing_array_is_an_artefact_error_that_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match=r"items\.npy must exist, got no such file"):
        read_array(tmp_path / "items.npy")


@pytest.mark.parametrize("keep", [0, 4, 40, 200])
def test_a_file_cut_short_is_an_artefact_error(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "items.npy"
    write_array(path, np.arange(100))
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ArtefactError, match=r"items\.npy must be a \.npy array"):
        read_array(path)


def test_an_archive_of_arrays_is_not_taken_for_an_array(tmp_path: Path) -> None:
    np.savez(tmp_path / "many.npz", a=np.arange(3))
    (tmp_path / "many.npz").rename(tmp_path / "items.npy")
    with pytest.raises(ArtefactError, match=r"items\.npy must be a \.npy array"):
        read_array(tmp_path / "items.npy")


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1])
def test_sha256_is_that_of_all_bytes_at_block_borders(tmp_path: Path, size: int) -> None:
    content = bytes(range(256)) * (size // 256 + 1)
    (tmp_path / "f").write_bytes(content[:size])
    assert sha256_of(tmp_path / "f") == hashlib.sha256(content[:size]).hexdigest()


def test_a_folder_is_hashed_file_by_file_in_sorted_order(tmp_path: Path) -> None:
    for name in ("b.txt", "sub/a.txt", "a.txt"):
        with write_atomically(tmp_path / name) as partial:
            partial.write_text(name)
    hashes = hash_folder(tmp_path)
    assert list(hashes) == ["a.txt", "b.txt", "sub/a.txt"]
    assert hashes["sub/a.txt"] == hashlib.sha256(b"sub/a.txt").hexdigest()


def test_publishing_replaces_the_old_folder_wholly(tmp_path: Path) -> None:
    final, partial = tmp_path / "train", tmp_path / ".train.partial"
    for folder, file in ((final, "old"), (partial, "new")):
        folder.mkdir()
        (folder / file).touch()
    publish_folder(partial, final)
    assert _names(final) == ["new"]
    assert _names(tmp_path) == ["train"]


def test_publishing_needs_no_old_folder_and_survives_scraps_of_a_crash(tmp_path: Path) -> None:
    (tmp_path / ".train.retired").mkdir()
    (tmp_path / ".train.retired" / "scrap").touch()
    partial = tmp_path / ".train.partial"
    partial.mkdir()
    (partial / "new").touch()
    publish_folder(partial, tmp_path / "train")
    assert _names(tmp_path) == ["train"]
    assert _names(tmp_path / "train") == ["new"]


def test_linked_files_are_the_same_and_only_those_asked_for(tmp_path):
    source, target = tmp_path / "source", tmp_path / "deep" / "target"
    for name in ("a/x.npy", "b/x.npy", "beside.json"):
        write_json(source / name, name)
    write_json(target / "old.json", "gone afterwards")
    link_folder(source, target, only=["a"])
    assert sorted(path.relative_to(target).as_posix() for path in target.rglob("*.*")) == ["a/x.npy", "beside.json"]
    assert read_json(target / "a" / "x.npy") == "a/x.npy"
    assert (target / "a" / "x.npy").stat().st_ino == (source / "a" / "x.npy").stat().st_ino


def test_where_links_cannot_be_made_files_are_copied(tmp_path, monkeypatch):
    def refuse(self, target):
        raise OSError("no links here")

    write_json(tmp_path / "source" / "x.json", 1)
    monkeypatch.setattr(Path, "hardlink_to", refuse)
    link_folder(tmp_path / "source", tmp_path / "target", only=[])
    assert read_json(tmp_path / "target" / "x.json") == 1
