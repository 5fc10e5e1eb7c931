"""Published candidate sets: numbered folders, one link `current` that is switched in one step, the last few kept."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recsys.core.errors import ArtefactError
from recsys.core.files import read_json, sha256_of, write_json

_CURRENT, _ABOUT, _LAST = "current", "set.json", "last.json"


def publish_set(root: Path, files: list[Path], *, about: Mapping[str, Any], keep: int) -> Path:
    """Make files the current set. Readers of `current` see the old set or the new one, whole.

    Args:
        root: The folder of all sets.
        files: They are linked into the set under their own names, or copied where the disk cannot link.
        about: Goes into `set.json`, with the files' hashes.
        keep: How many sets stay, the current one among them; the one before it in any case.

    Returns:
        The folder of the set: a new one, or the newest if it holds the very same files. Numbers are never used twice.

    Raises:
        ArtefactError: `current` is a folder, as in a copy of a run that followed links.
    """
    root.mkdir(parents=True, exist_ok=True)
    check_link(root)
    hashes = {path.name: sha256_of(path) for path in files}
    sets = list_sets(root)
    if sets and read_json(sets[-1] / _ABOUT)["files"] == hashes and not changed_files(sets[-1]):
        _switch(root, sets[-1])
        return sets[-1]
    previous = current_set(root).name if (root / _CURRENT).is_symlink() else None
    last = read_json(root / _LAST)["number"] if (root / _LAST).is_file() else 0
    number = max([last, *map(_number_of, list_sets(root))]) + 1
    write_json(root / _LAST, {"number": number})
    partial, final = root / f".{number:06d}.partial", root / f"{number:06d}"
    partial.mkdir()
    for path in files:
        _link(path, partial / path.name)
    write_json(partial / _ABOUT, dict(about) | {"number": number, "previous": previous, "files": hashes})
    os.replace(partial, final)
    _switch(root, final)
    for old in list_sets(root)[:-keep]:
        if old.name not in (final.name, previous):
            shutil.rmtree(old)
    for leftover in root.glob(".*.partial"):
        shutil.rmtree(leftover, ignore_errors=True)
    return final


def current_set(root: Path) -> Path:
    """The folder that `current` points to.

    Raises:
        ArtefactError: Nothing is published.
    """
    link = root / _CURRENT
    name = str(link.readlink()) if link.is_symlink() else ""
    if not name.isdigit() or not (root / name / _ABOUT).is_file():
        raise ArtefactError(f"{link} must point to a published set, got {name or 'none'}; run the stage retrieve first")
    return root / name


def roll_back(root: Path) -> Path:
    """Make the set that was current before this one current again.

    Raises:
        ArtefactError: Nothing is published, no older set is kept, or a file of it is not what was published.
    """
    now = current_set(root)
    previous = read_json(now / _ABOUT).get("previous")
    if previous is None or not (root / previous / _ABOUT).is_file():
        raise ArtefactError(f"{root} must keep the set before {now.name}, got none; raise [retrieve] keep_sets")
    before = root / str(previous)
    wrong = changed_files(before)
    if wrong:
        raise ArtefactError(f"{before / wrong[0]} must be the file that was published, got another; nothing was switched")
    _switch(root, before)
    return before


def check_link(root: Path) -> None:
    """Refuse a folder where the link belongs, before any work.

    Raises:
        ArtefactError: `current` is a folder, as in a copy of a run that followed links.
    """
    if (root / _CURRENT).is_dir() and not (root / _CURRENT).is_symlink():
        raise ArtefactError(f"{root / _CURRENT} must be a link, got a folder (a copy of one?); remove it and run again")


def list_sets(root: Path) -> list[Path]:
    """All sets, oldest first."""
    return sorted((path.parent for path in root.glob(f"[0-9]*/{_ABOUT}")), key=_number_of)


def changed_files(folder: Path) -> list[str]:
    """Files of a set that are missing or are not those that were published."""
    files = read_json(folder / _ABOUT)["files"]
    return [name for name, sha in files.items() if not (folder / name).is_file() or sha256_of(folder / name) != sha]


def _switch(root: Path, target: Path) -> None:
    partial = root / f".{_CURRENT}.{os.getpid()}"
    partial.unlink(missing_ok=True)
    partial.symlink_to(target.name)
    os.replace(partial, root / _CURRENT)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _number_of(path: Path) -> int:
    return int(path.name)
