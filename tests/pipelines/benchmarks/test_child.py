import resource
import sys
from pathlib import Path

import pytest

from pipelines.benchmarks.child import run_job, run_own, run_process
from recsys.core.errors import ArtefactError, BenchmarkError

ECHO = (
    "import json, sys; job = json.loads(sys.argv[1]); print('at work'); open(sys.argv[2], 'w').write(json.dumps(job['n'] + 1))"
)


def test_a_job_goes_in_and_its_result_comes_out(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "echo.log"
    assert run_job([sys.executable, "-c", ECHO], {"n": 41}, log=log) == 42
    assert log.read_text() == "at work\n"


def test_a_failure_ends_in_one_sentence_with_its_last_word_and_its_log(tmp_path: Path) -> None:
    log = tmp_path / "lost.log"
    with pytest.raises(BenchmarkError, match=r"lost: .*got code 1: ValueError: no such thing; see .*lost\.log"):
        run_process([sys.executable, "-c", "raise ValueError('no such thing')"], log=log)


def test_a_job_without_a_result_is_told(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match=r"result\.json must exist"):
        run_job([sys.executable, "-c", "pass"], {}, log=tmp_path / "none.log")


def test_the_peak_is_that_of_the_process_in_bytes(tmp_path: Path) -> None:
    mine = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    wanted = mine + 100_000_000
    peak = run_process([sys.executable, "-c", f"held = b'1' * {wanted}; del held"], log=tmp_path / "big.log")
    assert wanted < peak < wanted + 100_000_000


def test_our_modules_are_found_in_our_own_environment(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match=r"No module named pipelines\.benchmarks\.ours\.nothing"):
        run_own("nothing", {}, log=tmp_path / "own.log")
