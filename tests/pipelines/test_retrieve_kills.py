"""One job of `retrieve`, killed again and again: in the search, and while the parts are put together and published."""

import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from tests.finished_run import change_settings

_KILLER = """
import os, random, signal, sys, time
from pathlib import Path
import torch
import pipelines.stages.retrieve

torch.set_num_threads(1)
run, n_search, n_late = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
parts = run / ".retrieve.partial" / "parts" / "users"
rng = random.Random(0)


def count():
    return len(list(parts.glob("part-*.npy"))) if parts.is_dir() else 0


def start():
    pid = os.fork()
    if pid == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        try:
            pipelines.stages.retrieve.STAGE.main([str(run)])
        finally:
            os._exit(0)
    return pid


def kill(pid):
    os.kill(pid, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(pid, 0)[1])


def wait_for(pid, n):
    while count() < n:
        time.sleep(0.0002)


killed, resumed = 0, []
while killed < n_search:
    before = count()
    pid = start()
    wait_for(pid, before + rng.randint(1, 3))
    killed += kill(pid)
    resumed.append(before)
total = int(sys.argv[4])
late = 0
while late < n_late:
    pid = start()
    wait_for(pid, total)
    time.sleep(rng.random() * 0.05)
    if not kill(pid):
        break
    late += 1
os.waitpid(start(), 0)
print(killed, late, sorted(set(resumed)) == resumed)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_over_20_kills_no_user_is_lost_and_none_is_there_twice(copy_of: Path, tmp_path: Path) -> None:
    change_settings(copy_of, "retrieve", block_users=2)
    expected = pl.read_parquet(copy_of / "retrieve" / "candidates.parquet")
    sets_before = [folder.name for folder in (copy_of / "published").iterdir() if folder.name.isdigit()]
    (tmp_path / "killer.py").write_text(_KILLER)
    env = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, str(tmp_path / "killer.py"), str(copy_of), "20", "6", "75"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, env=env)
    assert done.returncode == 0, done.stderr[-3000:]
    n_killed, n_late, goes_on = done.stdout.split()
    assert (int(n_killed), goes_on) == (20, "True"), done.stdout
    assert int(n_late) >= 1
    table = pl.read_parquet(copy_of / "retrieve" / "candidates.parquet")
    assert table.equals(expected)
    current = copy_of / "published" / "current"
    assert pl.read_parquet(current / "candidates.parquet").equals(expected)
    assert (copy_of / "published" / current.readlink() / "set.json").is_file()
    assert current.readlink().name not in sets_before
    assert not list(copy_of.glob(".retrieve.partial"))
