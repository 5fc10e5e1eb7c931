"""The house holds to its own rules: mirror, sizes, names, and a Makefile that names the rooms each stage imports."""

import re
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted(path for package in ("recsys", "pipelines") for path in (ROOT / package).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
PLAIN = {
    "recsys/core/columns.py",
    "recsys/core/errors.py",
    "recsys/splits/parts.py",
    "recsys/training/settings.py",
}
BANNED = {"utils", "util", "helpers", "helper", "common", "misc", "base"}
STAGE = re.compile(r"^\$\(call done,(\w+)\): +\$\(call code,\w+,([\w ]+)\)", re.MULTILINE)


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("source", [path for path in SOURCES if path.name != "__init__.py"], ids=relative)
def test_every_file_has_its_mirror(source: Path) -> None:
    if relative(source) in PLAIN:
        return
    package, *rooms, name = source.relative_to(ROOT).parts
    mirror = ROOT / "tests" / Path(*(rooms if package == "recsys" else ["pipelines", *rooms])) / f"test_{name}"
    assert mirror.is_file(), f"{relative(source)} must have {relative(mirror)}"


@pytest.mark.parametrize("path", SOURCES + TESTS, ids=relative)
def test_no_file_is_longer_than_250_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 250


@pytest.mark.parametrize("path", SOURCES + TESTS, ids=relative)
def test_no_file_is_named_for_nothing(path: Path) -> None:
    assert not {path.stem.removeprefix("test_"), *path.relative_to(ROOT).parts[:-1]} & BANNED


@pytest.mark.parametrize("path", [path for path in SOURCES if path.name == "__init__.py"], ids=relative)
def test_a_room_says_what_it_is_and_exports_nothing(path: Path) -> None:
    text = path.read_text().strip()
    assert text.startswith('"""') and text.endswith('"""') and text.count('"""') == 2


def test_nothing_is_ever_unpickled() -> None:
    forbidden = re.compile(r"import pickle|pickle\.load|torch\.load|joblib|allow_pickle=True|cloudpickle")
    assert [relative(path) for path in SOURCES if forbidden.search(path.read_text())] == []


def test_the_makefile_names_exactly_the_rooms_that_each_stage_imports() -> None:
    graph = grimp.build_graph("recsys", "pipelines")
    named = {stage: set(rooms.split()) for stage, rooms in STAGE.findall((ROOT / "Makefile").read_text())}
    assert len(named) == 11
    assert "$(wildcard recsys/*/*.py)" in (ROOT / "Makefile").read_text(), "register ships all rooms in its model"
    for stage, rooms in named.items():
        modules = graph.find_upstream_modules(f"pipelines.{stage}")
        imported = {module.split(".")[1] for module in modules if module.startswith("recsys.")}
        assert rooms == imported, f"{stage} imports {sorted(imported)}"
