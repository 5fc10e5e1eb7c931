import re
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from pipelines.benchmarks import peer
from pipelines.benchmarks.bar import Workspace
from recsys.core.errors import BenchmarkError

REAL_PINS = sorted(peer.PEERS.glob("*.txt"))
SCRIPT = "import json, sys; open(sys.argv[2], 'w').write(json.dumps([sys.executable, json.loads(sys.argv[1])['n']]))"


@pytest.fixture
def pins(tmp_path: Path) -> Path:
    folder = tmp_path / "pinned"
    folder.mkdir()
    (folder / "fake.txt").write_text("fake==1.0\n")
    (folder / "fake_script.py").write_text(SCRIPT)
    return folder / "fake.txt"


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Commands are noted; the one for the environment makes a folder."""
    noted: list[list[str]] = []

    def run_process(command: Sequence[str], *, log: Path) -> int:
        noted.append(list(command))
        if "venv" in command:
            Path(command[-1]).mkdir(parents=True, exist_ok=True)
        return 0

    monkeypatch.setattr(peer, "run_process", run_process)
    return noted


def test_a_script_runs_in_the_environment_that_is_there(nowhere: Workspace, pins: Path) -> None:
    folder = nowhere.folder / "peers" / "fake"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to(sys.executable)
    (folder / "installed.txt").write_bytes(pins.read_bytes())
    python, n = peer.run_peer("fake", "fake_script", {"n": 3}, workspace=nowhere, log=nowhere.log("fake"), peers=pins.parent)
    assert n == 3
    assert python == str(folder / "bin" / "python")


def test_an_environment_is_built_once_and_again_when_its_pins_change(
    nowhere: Workspace, pins: Path, commands: list[list[str]]
) -> None:
    python = peer.build_environment("fake", workspace=nowhere, peers=pins.parent)
    peer.build_environment("fake", workspace=nowhere, peers=pins.parent)
    assert python == nowhere.folder / "peers" / "fake" / "bin" / "python"
    assert [command[0] for command in commands] == [sys.executable, str(python)]
    assert commands[1][-2:] == ["-r", str(pins)]
    pins.write_text("fake==2.0\n")
    peer.build_environment("fake", workspace=nowhere, peers=pins.parent)
    assert len(commands) == 4


def test_a_failed_installation_is_tried_again(
    nowhere: Workspace, pins: Path, commands: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(command: Sequence[str], *, log: Path) -> int:
        raise BenchmarkError("no network")

    with monkeypatch.context() as patch:
        patch.setattr(peer, "run_process", fail)
        with pytest.raises(BenchmarkError, match="no network"):
            peer.build_environment("fake", workspace=nowhere, peers=pins.parent)
    peer.build_environment("fake", workspace=nowhere, peers=pins.parent)
    assert len(commands) == 2


@pytest.mark.parametrize("path", REAL_PINS, ids=lambda path: path.stem)
def test_everything_is_pinned_and_those_with_torch_have_the_same(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert [line for line in lines if line.startswith("torch==")] in (["torch==2.13.0"], [])
    assert [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []
