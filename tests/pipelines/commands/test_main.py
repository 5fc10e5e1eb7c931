"""The console command as a whole: version, help, errors as JSON, and how soon it starts."""

import importlib
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import recsys as package
from pipelines.commands.main import main


def test_the_version_is_that_of_the_package(recsys) -> None:
    code, out, _ = recsys("--version")
    assert (code, out.strip()) == (0, f"recsys {package.__version__}")


def test_the_console_script_is_this_command() -> None:
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
    module, _, name = project["scripts"]["recsys"].partition(":")
    assert getattr(importlib.import_module(module), name) is main
    assert project["name"] == "contrastive-recsys" and project["version"] == package.__version__


def test_every_command_prints_json_if_asked(recsys) -> None:
    _, out, _ = recsys("--help")
    commands = [line.split()[1] for line in out.splitlines() if line.startswith("│ ") and line[2:3].isalpha()]
    named = [name for name in commands if name.replace("-", "").isalpha() and name.islower()]
    assert {"run", "new", "recommend", "search", "verify", "rollback", "add-items", "summary", "doctor"} <= set(named)
    for name in named:
        assert "--json" in recsys(name, "--help")[1], name


@pytest.mark.parametrize("command", [("recommend", "x"), ("rollback",), ("summary",), ("run", "nowhere.toml")])
def test_errors_are_json_too(recsys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = recsys(*command, "--json")
    assert code == 2
    assert set(json.loads(out)) == {"error", "kind"}
    assert "error" not in err


def test_starting_loads_no_model_library() -> None:
    program = (
        "import sys, pipelines.commands.main; "
        "print([name for name in ('torch', 'annoy', 'mlflow', 'polars', 'sklearn', 'pydantic') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("as_json", [False, True])
def test_a_folder_that_cannot_be_written_is_told(recsys, tmp_path: Path, as_json: bool) -> None:
    (tmp_path / "file").touch()
    code, out, err = recsys("run", "smoke", "--root", str(tmp_path / "file" / "artifacts"), *(["--json"] if as_json else []))
    assert code == 2 and "must be readable and writable" in " ".join((out if as_json else err).split())
