import os
from pathlib import Path

import pytest

from pipelines.commands.options import find_run, read_categories
from recsys.core.errors import ArtefactError, ConfigError


def test_the_newest_finished_run_is_taken_unless_one_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ArtefactError, match="make run"):
        find_run(None)
    for age, name in enumerate(("new", "old")):
        path = Path("artifacts") / name / "retrieve" / "manifest.json"
        path.parent.mkdir(parents=True)
        path.touch()
        os.utime(path, (1e9 - age, 1e9 - age))
    assert find_run(None) == Path("artifacts/new")
    assert find_run(Path("artifacts/old")) == Path("artifacts/old")
    with pytest.raises(ArtefactError, match="elsewhere must be a run folder, got none"):
        find_run(Path("elsewhere"))


def test_which_run_was_taken_is_said_unless_it_was_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "artifacts" / "only" / "retrieve").mkdir(parents=True)
    (tmp_path / "artifacts" / "only" / "retrieve" / "manifest.json").touch()
    find_run(None)
    assert "from artifacts/only, the newest run" in capsys.readouterr().err
    find_run(Path("artifacts/only"))
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("only", [["genre"], ["=x"], ["genre="]])
def test_a_filter_is_a_column_and_a_value(only: list[str]) -> None:
    assert read_categories(["a=x", "a=y", "b=z"]) == {"a": ["x", "y"], "b": ["z"]}
    with pytest.raises(ConfigError, match="--only must be column=value"):
        read_categories(only)
