import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from pipelines.benchmarks import run
from pipelines.benchmarks.bar import Result, Workspace, at_most
from recsys.core.errors import BenchmarkError


def measure(workspace: Workspace) -> Iterator[Result]:
    for name, ratio in (("fast", 0.5), ("slow", 1.5)):
        limits = (at_most("ratio", 1),)
        yield Result(name=name, what="", unit="s", ours=ratio, peer=1, peer_version="", ratio=ratio, limits=limits)


def fail(workspace: Workspace) -> Iterator[Result]:
    raise BenchmarkError("the peer must install, got no network; try again")
    yield


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator:
    monkeypatch.setattr(run, "BENCHMARKS", {"broken": fail, "works": measure, "long": measure})
    monkeypatch.setattr(run, "ON_REQUEST", {"long"})

    def main(*names: str) -> Path:
        monkeypatch.setattr("sys.argv", ["run", "--root", str(tmp_path), *names])
        run.main()
        return tmp_path / "benchmarks"

    return main


def test_an_unknown_name_is_refused_in_one_sentence_before_any_work(call, tmp_path, capsys) -> None:
    with pytest.raises(SystemExit) as caught:
        call("works", "sped")
    assert caught.value.code == 2
    assert capsys.readouterr().err == "error: a benchmark must be one of broken, works, long, got 'sped'; correct BENCH=\n"
    assert not (tmp_path / "benchmarks").exists()


def test_each_result_is_a_file_of_the_contract_and_a_row_of_the_table(call, capsys) -> None:
    folder = call("works")
    assert sorted(path.name for path in folder.glob("*.json")) == ["fast.json", "slow.json"]
    told = json.loads((folder / "slow.json").read_text())
    assert set(told) == {"name", "what", "ours", "peer", "peer_version", "unit", "ratio", "bar", "holds"}
    assert (told["bar"], told["holds"]) == ("ratio <= 1", False)
    rows = capsys.readouterr().out.splitlines()
    assert [row.split()[-1] for row in rows if "fast" in row or "slow" in row] == ["holds", "missed"]


def test_one_that_fails_is_told_and_the_others_go_on(call, tmp_path, capsys) -> None:
    with pytest.raises(SystemExit) as caught:
        call()
    assert caught.value.code == 2
    assert "got no network" in capsys.readouterr().err
    assert (tmp_path / "benchmarks" / "fast.json").is_file()


def test_the_long_ones_run_only_when_named() -> None:
    named = ("time-to-quality", "index-choice")
    long = {name for name in run.BENCHMARKS if name in named or name.startswith(("rank-", "terms-"))}
    assert len(long) == 11
    assert set(run.choose([])) == set(run.BENCHMARKS) - long
    assert run.choose(["time-to-quality"]) == ["time-to-quality"]


def test_the_table_fits_80_columns(nowhere: Workspace) -> None:
    limits = (at_most("ours", 1.5), at_most("ratio", 20))
    figures = {"what": "", "peer_version": "", "peer": 12345, "ratio": 264.1, "limits": limits}
    results = [
        Result(name="time-to-quality-0.32", unit="minutes", ours=1.234, **figures),
        Result(name="train-transformer", unit="targets/s", ours=123456, **figures),
    ]
    console = Console(width=80)
    with console.capture() as captured:
        console.print(run.build_table(results))
    assert "…" not in captured.get()
