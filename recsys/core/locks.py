"""One owner at a time for a run folder: a small file that names the process at work there."""

import fcntl
import json
import os
import subprocess
from pathlib import Path

from recsys.core.errors import BusyError


def claim_folder(folder: Path, *, owner_pid: int) -> None:
    """Note in `folder` that process `owner_pid` works there until it ends.

    The claim needs no release: it is void once the process is gone. A process number that was given to another
    process since is told apart by its start time.

    Args:
        folder: The run folder, made if needed.
        owner_pid: The process that stays alive as long as the work, such as `make`.

    Raises:
        BusyError: Another living process holds the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    claim = folder / ".owner.json"
    with (folder / ".owner.lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        holder = _holder_of(claim)
        if holder is not None and holder != owner_pid:
            raise BusyError(
                f"{folder} must be used by one run at a time, got a second one while process {holder} is at work there; "
                "wait until it ends, or give the other run another name"
            )
        claim.write_text(json.dumps({"pid": owner_pid, "started": _start_of(owner_pid)}), encoding="utf-8")


def _holder_of(claim: Path) -> int | None:
    try:
        record = json.loads(claim.read_text(encoding="utf-8"))
        pid, started = int(record["pid"]), str(record["started"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return pid if started and _start_of(pid) == started else None


def _start_of(pid: int) -> str:
    """When a process started, as text; empty if there is no such process (or only its zombie)."""
    if Path("/proc/self/stat").exists():
        return _start_from_proc(pid)
    command, environment = ["ps", "-o", "stat=,lstart=", "-p", str(pid)], {"PATH": os.defpath, "TZ": "UTC", "LC_ALL": "C"}
    answer = subprocess.run(command, capture_output=True, text=True, env=environment).stdout
    state, _, started = answer.strip().partition(" ")
    return "" if state.startswith("Z") else started.strip()


def _start_from_proc(pid: int) -> str:
    """Clock ticks after boot, field 22 of /proc/<pid>/stat; the name in field 2 may hold anything, so count from its end."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return "" if fields[0] in "ZX" else fields[19]
