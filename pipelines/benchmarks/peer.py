"""Another library's environment, built on first use and again when its pins change, and scripts run inside it."""

import shutil
import sys
from pathlib import Path
from typing import Any

from pipelines.benchmarks.bar import Workspace
from pipelines.benchmarks.child import run_job, run_process
from pipelines.stages.stage import console

PEERS = Path(__file__).parent / "peers"


def run_peer(peer: str, script: str, job: dict[str, Any], *, workspace: Workspace, log: Path, peers: Path = PEERS) -> Any:
    """Run `peers/<script>.py` on a job, in the environment of a peer.

    Raises:
        BenchmarkError: The environment could not be built, or the script failed.
    """
    python = build_environment(peer, workspace=workspace, peers=peers)
    return run_job([str(python), str(peers / f"{script}.py")], job, log=log)


def build_environment(peer: str, *, workspace: Workspace, peers: Path = PEERS) -> Path:
    """Build a peer's virtual environment from its pins, unless it is there.

    Args:
        peer: Name of a file of pins.
        workspace: Its environment goes below the folder `peers` of this workspace.
        peers: The folder of pins and scripts.

    Returns:
        The environment's Python.

    Raises:
        BenchmarkError: Something could not be installed.
    """
    pins, folder = peers / f"{peer}.txt", workspace.folder / "peers" / peer
    python, installed = folder / "bin" / "python", folder / "installed.txt"
    if installed.is_file() and installed.read_bytes() == pins.read_bytes():
        return python
    console.print(f"  building the environment of {peer} (minutes, the first time)")
    log = workspace.log(f"install-{peer}")
    run_process([sys.executable, "-m", "venv", "--clear", str(folder)], log=log)
    run_process([str(python), "-m", "pip", "install", "--disable-pip-version-check", "-r", str(pins)], log=log)
    shutil.copy(pins, installed)
    return python
