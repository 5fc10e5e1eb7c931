import importlib.util
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from recsys.candidates import executors
from recsys.candidates.candidate_search import SearchPlan, read_plan
from recsys.candidates.executors import run_parts
from recsys.candidates.part_worker import Job
from recsys.candidates.parts import Parts
from recsys.core.errors import ConfigError
from recsys.core.files import write_array

pytestmark = pytest.mark.slow

needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="ray is not installed (the extra [distributed])")


@pytest.fixture
def job_of(finished: Path, tmp_path: Path):
    """The candidates of a finished run as a job of parts of 5 users, in a folder of its own."""

    def build(name: str) -> Job:
        n_users = len(np.load(finished / "pairs" / "offsets.npy")) - 1
        write_array(tmp_path / "users.npy", np.arange(n_users))
        folders = {stage: finished / stage for stage in ("pairs", "embed", "index")}
        parts = Parts(folder=tmp_path / name, n_rows=n_users, part_rows=5, k=10)
        return Job(kind="users", parts=parts, rows=tmp_path / "users.npy", plan=finished / "retrieve" / "search", **folders)

    return build


def _lists(job: Job) -> list[list[int]]:
    return [row for _, found in job.parts.read_all() for row in found.lists.item_idx.tolist()]


def test_all_parts_are_done_and_counted(job_of) -> None:
    job, seen = job_of("local"), []
    assert run_parts(job, plan=read_plan(job.plan), executor="local", n_actors=1, on_part=seen.append) == len(job.parts) == 30
    assert seen == list(range(31))
    assert job.parts.missing() == []


def test_parts_that_are_there_are_not_done_again(job_of) -> None:
    job = job_of("local")
    run_parts(job, plan=read_plan(job.plan), executor="local", n_actors=1, on_part=lambda done: None)
    before = [path.stat().st_mtime_ns for path in sorted(job.parts.folder.iterdir())]
    (job.parts.folder / "part-000003.npy").unlink()
    assert run_parts(job, plan=read_plan(job.plan), executor="local", n_actors=1, on_part=lambda done: None) == 1
    after = [path.stat().st_mtime_ns for path in sorted(job.parts.folder.iterdir())]
    assert sum(a != b for a, b in zip(before, after, strict=True)) == 1


def test_without_the_extra_it_says_what_to_install(job_of, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executors.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install 'contrastive-recsys\[distributed\]'"):
        run_parts(job_of("ray"), plan=SearchPlan(), executor="ray", n_actors=2, on_part=lambda done: None)


def _ray_actors() -> list[int]:
    """Processes of our actors on this machine."""
    found = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True).stdout.splitlines()
    return [int(line.split()[0]) for line in found if "ray::" in line and "MapWorker" in line]


@needs_ray
@pytest.mark.filterwarnings("ignore")
def test_two_actors_one_of_them_killed_find_what_one_process_finds(job_of) -> None:
    local, distributed = job_of("local"), job_of("ray")
    run_parts(local, plan=read_plan(local.plan), executor="local", n_actors=1, on_part=lambda done: None)
    killed: list[int] = []

    def kill_one() -> None:
        deadline = time.time() + 120
        while time.time() < deadline and not killed:
            if len(distributed.parts.missing()) < 28 and (actors := _ray_actors()):
                os.kill(actors[0], signal.SIGKILL)
                killed.append(actors[0])
            time.sleep(0.02)

    killer = threading.Thread(target=kill_one)
    killer.start()
    run_parts(distributed, plan=read_plan(distributed.plan), executor="ray", n_actors=2, on_part=lambda done: None)
    killer.join()
    assert killed, "no actor was caught at work"
    assert _lists(distributed) == _lists(local)
