"""Files that appear whole or not at all, and their fingerprints."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsys.core.errors import ArtefactError

MANIFEST = "manifest.json"
_BLOCK_BYTES = 1 << 20


@contextmanager
def write_atomically(path: Path) -> Iterator[Path]:
    """Yield a path beside `path` to write to; it takes the name `path` only if the block ends without an error.

    Args:
        path: The final name. Its folder is made if needed; a file that was there stays until the new one is whole. It gets
            the mode that any new file gets, also from a writer that keeps its files to itself.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.touch()
        mode = partial.stat().st_mode
        yield partial
        partial.chmod(mode)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def write_json(path: Path, value: object) -> None:
    """Write `value` as indented JSON with sorted keys, atomically. NaN and infinity are refused (ValueError)."""
    text = json.dumps(value, indent=2, sort_keys=True, allow_nan=False, ensure_ascii=False)
    with write_atomically(path) as partial:
        partial.write_text(text + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """Read one JSON file.

    Raises:
        ArtefactError: The file is missing or is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ArtefactError(f"{path} must exist, got no such file; run the stage that writes it") from None
    except ValueError as error:
        raise ArtefactError(f"{path} must be JSON, got {error}; run the stage that writes it again") from None


def write_array(path: Path, array: NDArray[Any]) -> None:
    """Write one array as `.npy`, atomically. Object arrays are refused, so nothing needs pickle to be read."""
    with write_atomically(path) as partial, partial.open("wb") as handle:
        np.save(handle, array, allow_pickle=False)


def read_array(path: Path) -> NDArray[Any]:
    """Memory-map one `.npy` file read-only; pickled content is refused.

    Raises:
        ArtefactError: The file is missing or is not an array.
    """
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise ArtefactError(f"{path} must exist, got no such file; run the stage that writes it") from None
    except (ValueError, EOFError) as error:
        raise ArtefactError(f"{path} must be a .npy array, got {error}; run the stage that writes it again") from None
    if not isinstance(array, np.ndarray):
        raise ArtefactError(f"{path} must be a .npy array, got an archive of arrays; run the stage that writes it again")
    return array


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, as 64 hexadecimal digits, read in blocks of 1 MiB."""
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        while block := handle.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def hash_folder(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file below `folder`, by its path relative to it, in sorted order."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): sha256_of(path) for path in files}


def link_folder(source: Path, target: Path, *, only: Iterable[str]) -> None:
    """The same files in another folder, without a copy where the file system can link them; files stay as they are.

    Args:
        source: Where they are.
        target: Where they shall be too; what was there is removed.
        only: Folders to take; files beside them are taken all.
    """
    if target.exists():
        shutil.rmtree(target)
    chosen = set(only)
    for path in sorted(source.rglob("*")):
        within = path.relative_to(source)
        if path.is_file() and (len(within.parts) == 1 or within.parts[0] in chosen):
            (target / within).parent.mkdir(parents=True, exist_ok=True)
            try:
                (target / within).hardlink_to(path)
            except OSError:
                shutil.copy(path, target / within)


def publish_folder(partial: Path, final: Path) -> None:
    """Give the finished folder `partial` the name `final`, replacing what was there.

    A folder cannot be replaced in one step, so the old one moves aside first. A crash in between leaves no `final`
    (the work is done again) and never a mixture of the two.
    """
    retired = final.with_name(f".{final.name}.retired")
    shutil.rmtree(retired, ignore_errors=True)
    if final.exists():
        os.replace(final, retired)
    os.replace(partial, final)
    shutil.rmtree(retired, ignore_errors=True)
