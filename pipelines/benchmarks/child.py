"""Work in a fresh process: its words go to a log, its result comes back as JSON, and its memory is known."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from recsys.core.errors import BenchmarkError
from recsys.core.files import read_json

_TO_BYTES = 1 if sys.platform == "darwin" else 1024


def run_process(command: Sequence[str], *, log: Path) -> int:
    """Run a command to its end.

    Args:
        command: Program and arguments.
        log: Where its output goes, replacing what was there.

    Returns:
        Its peak resident memory in bytes; never less than this process had when it started the other.

    Raises:
        BenchmarkError: It failed.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8") as words:
        process = subprocess.Popen(command, stdout=words, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            raise
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        last = (log.read_text(encoding="utf-8", errors="replace").strip().splitlines() or ["no word"])[-1]
        raise BenchmarkError(f"{log.stem}: its process must end well, got code {process.returncode}: {last}; see {log}")
    return usage.ru_maxrss * _TO_BYTES


def run_job(command: Sequence[str], job: dict[str, Any], *, log: Path) -> Any:
    """Run a command on a JSON job, given behind it with the path for its result, and read that result.

    Raises:
        BenchmarkError: It failed.
        ArtefactError: It left no result.
    """
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        run_process([*command, json.dumps(job), str(result)], log=log)
        return read_json(result)


def run_own(module: str, job: dict[str, Any], *, log: Path) -> Any:
    """Run a module of `pipelines.benchmarks.ours` on a job, in our own environment."""
    return run_job([sys.executable, "-m", f"pipelines.benchmarks.ours.{module}"], job, log=log)
