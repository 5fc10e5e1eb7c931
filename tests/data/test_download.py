"""A fetched file is whole, or there is none and the message says why."""

import http.server
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from recsys.core.errors import SourceError
from recsys.data import download
from recsys.data.download import extract, fetch_archive, fetch_first, fetch_wheel

_BODY = bytes(range(256)) * 1_000


class _Handler(http.server.BaseHTTPRequestHandler):
    """`/whole` answers in full; the other paths each break in one way."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.close_connection = True
        match self.path:
            case "/whole":
                self._answer([("Content-Length", str(len(_BODY)))], _BODY)
            case "/unsized":
                self._answer([("Connection", "close")], _BODY)
            case "/short":
                self._answer([("Content-Length", str(len(_BODY)))], _BODY[:1_000])
            case "/chunks":
                self._answer([("Transfer-Encoding", "chunked")], b"ffff\r\nonly this")
            case "/garbage":
                self.wfile.write(b"what?\r\n\r\n")
            case _:
                self.send_error(404)

    def _answer(self, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response(200)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Silence."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("no_proxy", "127.0.0.1")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_a_file_is_fetched_whole_and_progress_ends_at_its_size(address: str, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    fetch_archive(f"{address}/whole", tmp_path / "raw" / "a.zip", on_progress=lambda *sizes: seen.append(sizes))
    assert (tmp_path / "raw" / "a.zip").read_bytes() == _BODY
    assert seen[-1] == (len(_BODY), len(_BODY))
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})


def test_a_file_of_unknown_size_is_fetched_and_its_total_is_0(address: str, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    fetch_archive(f"{address}/unsized", tmp_path / "a.zip", on_progress=lambda *sizes: seen.append(sizes))
    assert (tmp_path / "a.zip").read_bytes() == _BODY
    assert seen[-1] == (len(_BODY), 0)


@pytest.mark.parametrize("path", ["/missing", "/short", "/chunks", "/garbage"])
def test_an_answer_that_breaks_off_is_a_source_error_and_keeps_the_old_file(address: str, tmp_path: Path, path: str) -> None:
    (tmp_path / "a.zip").write_text("old")
    with pytest.raises(SourceError, match=f"{address}{path} must be reachable, got: ."):
        fetch_archive(f"{address}{path}", tmp_path / "a.zip")
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("a.zip", "old")]


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/a", "no address", "http://a b/", "http://127.0.0.1:port/"])
def test_an_address_that_cannot_be_reached_is_a_source_error(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    with pytest.raises(SourceError, match=f"{url} must be reachable"):
        fetch_archive(url, tmp_path / "a.zip")


def _pip(monkeypatch: pytest.MonkeyPatch, *, files: tuple[str, ...] = (), code: int = 0, stderr: str = "") -> list[list[str]]:
    calls: list[list[str]] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        calls.append(command)
        for name in files:
            (Path(command[command.index("--dest") + 1]) / name).touch()
        return subprocess.CompletedProcess(command, code, "", stderr)

    monkeypatch.setattr(download.subprocess, "run", run)
    return calls


def test_a_wheel_is_downloaded_without_its_dependencies_and_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = _pip(monkeypatch, files=("data-1.0-py3-none-any.whl",))
    assert fetch_wheel("data==1.0", tmp_path) == tmp_path / "data-1.0-py3-none-any.whl"
    assert {"pip", "download", "--no-deps", "--only-binary=:all:", "data==1.0"} <= set(calls[0])
    assert "install" not in calls[0]


def test_the_last_line_that_pip_says_is_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _pip(monkeypatch, code=1, stderr="WARNING: slow\nERROR: No matching distribution\n")
    with pytest.raises(SourceError, match=r"pip download data==1.0 must succeed, got: ERROR: No matching distribution"):
        fetch_wheel("data==1.0", tmp_path)


def test_pip_that_succeeds_without_a_wheel_is_a_source_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _pip(monkeypatch, files=("data-1.0.tar.gz",))
    with pytest.raises(SourceError, match="must succeed, got: no wheel"):
        fetch_wheel("data==1.0", tmp_path)


@pytest.mark.parametrize("failure", [subprocess.TimeoutExpired("pip", 180), FileNotFoundError("python")])
def test_pip_that_hangs_or_is_not_there_is_a_source_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def run(*_: Any, **__: Any) -> None:
        raise failure

    monkeypatch.setattr(download.subprocess, "run", run)
    with pytest.raises(SourceError, match=r"pip download data==1\.0 must succeed, got: "):
        fetch_wheel("data==1.0", tmp_path)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("set/u.data", b"1\t2\t3\n" * 500)
        target.writestr("../../evil.txt", b"evil")
    return tmp_path / "a.zip"


def test_only_the_members_asked_for_are_extracted_under_their_new_names(archive: Path, tmp_path: Path) -> None:
    extract(archive, {"set/u.data": "data.tsv"}, tmp_path / "raw")
    assert [path.name for path in (tmp_path / "raw").iterdir()] == ["data.tsv"]
    assert (tmp_path / "raw" / "data.tsv").read_bytes() == b"1\t2\t3\n" * 500


def test_a_missing_member_is_a_source_error_that_names_it(archive: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"a\.zip must be a zip file with set/u\.item, got: .*set/u\.item"):
        extract(archive, {"set/u.item": "u.item"}, tmp_path / "raw")


@pytest.mark.parametrize("damage", ["text", "cut", "flipped"])
def test_a_damaged_archive_is_a_source_error(archive: Path, tmp_path: Path, damage: str) -> None:
    content = archive.read_bytes()
    broken = {"text": b"<html>", "cut": content[:60], "flipped": content[:42] + b"\xff" * 12 + content[54:]}
    archive.write_bytes(broken[damage])
    with pytest.raises(SourceError, match=r"a\.zip must be a zip file with set/u\.data"):
        extract(archive, {"set/u.data": "u.data"}, tmp_path / "raw")


def _fail(folder: Path) -> None:
    (folder / "half").write_text("half")
    raise SourceError("no route")


def test_the_first_source_that_works_fills_the_folder_and_is_named(tmp_path: Path) -> None:
    asked: list[str] = []

    def succeed(folder: Path) -> None:
        (folder / "data").write_text("whole")

    sources = {"a": _fail, "b": succeed, "c": lambda _: asked.append("c")}
    assert fetch_first(sources, tmp_path / "raw") == "b"
    assert [(path.name, path.read_text()) for path in (tmp_path / "raw").iterdir()] == [("data", "whole")]
    assert asked == []


def test_if_no_source_works_the_message_holds_each_reason_and_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"\(a: no route; b: no route\); set RECSYS_DATA_DIR to a folder"):
        fetch_first({"a": _fail, "b": _fail}, tmp_path / "raw")
    assert not (tmp_path / "raw").exists()
