import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipelines.settings.split import SplitSettings
from pipelines.stages.stage import Stage, StageRun
from recsys.core.errors import DataError
from recsys.core.facts import Facts
from recsys.core.files import sha256_of


@dataclass(frozen=True, kw_only=True)
class _Facts:
    n_rows: int
    skipped: list[str]


@pytest.fixture
def run_work(tmp_path: Path) -> Callable[..., Path]:
    """Runs a piece of work as the stage `split` in a bare run folder."""
    run = tmp_path / "run"
    (run / "config").mkdir(parents=True)
    (run / "config" / "split.json").write_text(json.dumps({"settings": {"protocol": "temporal"}}))

    def work(function: Callable[[StageRun[SplitSettings]], Facts | None], **options: Any) -> Path:
        Stage(name="split", read=SplitSettings.model_validate, work=function, **options).main([str(run)])
        return run

    work.run = run  # type: ignore[attr-defined]
    return work


def test_the_manifest_names_settings_facts_versions_and_the_hash_of_every_output(run_work: Callable[..., Path]) -> None:
    def work(stage: StageRun[SplitSettings]) -> Facts:
        (stage.folder / "sub").mkdir()
        (stage.folder / "sub" / "a.txt").write_text("hello")
        return _Facts(n_rows=3, skipped=["ease"])

    folder = run_work(work) / "split"
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["config"] == {"protocol": "temporal"}
    assert manifest["facts"] == {"n_rows": 3, "skipped": ["ease"]}
    assert manifest["outputs"] == {"sub/a.txt": sha256_of(folder / "sub" / "a.txt")}
    assert manifest["versions"]["polars"]
    assert manifest["seconds"] >= 0


def test_an_error_of_the_user_ends_in_one_sentence_code_2_and_nothing_half_written(
    run_work: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    def good(stage: StageRun[SplitSettings]) -> None:
        (stage.folder / "a.txt").write_text("first")

    def bad(stage: StageRun[SplitSettings]) -> None:
        (stage.folder / "a.txt").write_text("second")
        raise DataError("rows must be there, got none; look")

    run = run_work(good)
    with pytest.raises(SystemExit) as caught:
        run_work(bad)
    assert caught.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1] == "error: rows must be there, got none; look"
    assert (run / "split" / "a.txt").read_text() == "first"
    assert not (run / ".split.partial").exists()


def test_what_a_resumable_stage_left_is_there_for_the_next_try(run_work: Callable[..., Path]) -> None:
    def stop(stage: StageRun[SplitSettings]) -> None:
        (stage.folder / "checkpoint").mkdir()
        (stage.folder / "checkpoint" / "state").write_text("half")
        (stage.folder / "manifest.json").write_text("{}")
        raise DataError("stop")

    def go_on(stage: StageRun[SplitSettings]) -> None:
        assert (stage.folder / "checkpoint" / "state").read_text() == "half"
        assert [path.name for path in stage.folder.iterdir()] == ["checkpoint"]

    with pytest.raises(SystemExit):
        run_work(stop, keep="checkpoint")
    assert (run_work(go_on, keep="checkpoint") / "split" / "manifest.json").is_file()


def test_ctrl_c_ends_with_code_130(run_work: Callable[..., Path]) -> None:
    def interrupted(stage: StageRun[SplitSettings]) -> None:
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as caught:
        run_work(interrupted)
    assert caught.value.code == 130


def test_a_stage_before_that_has_not_run_is_named(run_work: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run_work(lambda stage: stage.read("ingest"))
    assert "run the stage ingest first" in capsys.readouterr().err


def test_inputs_are_on_record_with_the_hash_of_their_manifest(run_work: Callable[..., Path]) -> None:
    before = run_work.run / "ingest" / "manifest.json"  # type: ignore[attr-defined]
    before.parent.mkdir()
    before.write_text('{"facts": {"n_rows": 1, "skipped": []}}')

    def work(stage: StageRun[SplitSettings]) -> None:
        assert stage.facts_of("ingest", _Facts) == _Facts(n_rows=1, skipped=[])

    manifest = json.loads((run_work(work) / "split" / "manifest.json").read_text())
    assert manifest["inputs"] == {"ingest": sha256_of(before)}


def test_a_bug_is_not_hidden_behind_a_sentence(run_work: Callable[..., Path]) -> None:
    def broken(stage: StageRun[SplitSettings]) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_work(broken)


def test_processes_that_help_write_nothing(run_work: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "1")
    run_work(lambda stage: None)
    assert not (run_work.run / "split").exists()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "stage",
    ["ingest", "split", "pairs", "train", "embed", "index", "retrieve", "baselines", "evaluate", "register"],
)
def test_a_full_disk_is_told_in_one_sentence_and_leaves_the_old_output(copy_of: Path, stage: str) -> None:
    before = sha256_of(copy_of / stage / "manifest.json")
    limit = 2048

    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    done = subprocess.run(
        [sys.executable, "-m", f"pipelines.stages.{stage}", str(copy_of)],
        capture_output=True,
        text=True,
        preexec_fn=little_room,
        env={name: value for name, value in os.environ.items() if not name.startswith("MLFLOW")},
    )
    assert done.returncode == 2, done.stderr[-2000:]
    assert "the disk must have room" in done.stderr.splitlines()[-1], done.stderr
    assert sha256_of(copy_of / stage / "manifest.json") == before
    assert stage in ("train", "retrieve") or not (copy_of / f".{stage}.partial").exists()
