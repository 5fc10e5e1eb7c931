"""A run folder has one living owner."""

import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from recsys.core.errors import BusyError
from recsys.core.locks import claim_folder


def _owner(folder: Path) -> int:
    """Whose claim stands in a folder."""
    return int(json.loads((folder / ".owner.json").read_text())["pid"])


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "60"])
    yield process
    process.kill()
    process.wait()


def test_a_folder_is_made_and_its_owner_may_claim_it_again(tmp_path: Path) -> None:
    folder = tmp_path / "artifacts" / "run"
    claim_folder(folder, owner_pid=os.getpid())
    claim_folder(folder, owner_pid=os.getpid())
    assert folder.is_dir()


def test_a_second_living_process_is_refused_by_the_number_of_the_first(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    claim_folder(tmp_path, owner_pid=sleeper.pid)
    with pytest.raises(BusyError, match=f"must be used by one run at a time, got a second one while process {sleeper.pid} "):
        claim_folder(tmp_path, owner_pid=os.getpid())


def test_a_refused_process_does_not_take_the_claim_away(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    claim_folder(tmp_path, owner_pid=sleeper.pid)
    for _ in range(2):
        with pytest.raises(BusyError):
            claim_folder(tmp_path, owner_pid=os.getpid())
    claim_folder(tmp_path, owner_pid=sleeper.pid)


def test_the_claim_of_a_dead_process_is_void(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    claim_folder(tmp_path, owner_pid=sleeper.pid)
    sleeper.kill()
    sleeper.wait()
    claim_folder(tmp_path, owner_pid=os.getpid())
    assert _owner(tmp_path) == os.getpid()


def test_the_claim_of_a_zombie_is_void(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    claim_folder(tmp_path, owner_pid=sleeper.pid)
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    claim_folder(tmp_path, owner_pid=os.getpid())
    assert _owner(tmp_path) == os.getpid()


def test_a_process_number_given_to_another_process_since_holds_nothing(tmp_path: Path) -> None:
    first = subprocess.Popen(["sleep", "60"])
    claim_folder(tmp_path, owner_pid=first.pid)
    first.kill()
    first.wait()
    time.sleep(1.1)
    later = subprocess.Popen(["sleep", "60"])
    try:
        (claim,) = [path for path in tmp_path.iterdir() if path.suffix == ".json"]
        claim.write_text(json.dumps(json.loads(claim.read_text()) | {"pid": later.pid}))
        claim_folder(tmp_path, owner_pid=os.getpid())
        assert _owner(tmp_path) == os.getpid()
    finally:
        later.kill()
        later.wait()


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"pid": 1}', '{"pid": "x", "started": "y"}'])
def test_a_claim_that_cannot_be_read_is_void(tmp_path: Path, content: str) -> None:
    (tmp_path / ".owner.json").write_text(content)
    claim_folder(tmp_path, owner_pid=os.getpid())
    assert _owner(tmp_path) == os.getpid()


def test_folders_are_claimed_one_by_one(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    claim_folder(tmp_path / "a", owner_pid=sleeper.pid)
    claim_folder(tmp_path / "b", owner_pid=os.getpid())
    assert [_owner(tmp_path / name) for name in "ab"] == [sleeper.pid, os.getpid()]


def test_the_time_zone_of_the_second_process_does_not_void_the_claim(
    tmp_path: Path, sleeper: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "UTC")
    claim_folder(tmp_path, owner_pid=sleeper.pid)
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    with pytest.raises(BusyError, match=str(sleeper.pid)):
        claim_folder(tmp_path, owner_pid=os.getpid())


def test_a_machine_without_the_ps_command_guards_its_folders_too(
    tmp_path: Path, sleeper: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    claim_folder(tmp_path / "run", owner_pid=sleeper.pid)
    with pytest.raises(BusyError, match=str(sleeper.pid)):
        claim_folder(tmp_path / "run", owner_pid=os.getpid())


def test_of_two_processes_that_claim_at_once_exactly_one_wins(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    outcomes: list[str] = []
    start = threading.Barrier(2)

    def claim(pid: int) -> None:
        start.wait()
        try:
            claim_folder(tmp_path, owner_pid=pid)
            outcomes.append("won")
        except BusyError:
            outcomes.append("refused")

    threads = [threading.Thread(target=claim, args=(pid,)) for pid in (sleeper.pid, os.getpid())]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["refused", "won"]
