"""The house holds to its own rules: mirror, sizes, names, layers that hold every module."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted(path for package in ("recsys", "pipelines") for path in (ROOT / package).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
PLAIN = {
    "recsys/core/columns.py",
    "recsys/core/errors.py",
    "recsys/data/facts.py",
    "recsys/features/facts.py",
    "recsys/models/facts.py",
    "recsys/inference/facts.py",
    "recsys/candidates/facts.py",
    "recsys/baselines/facts.py",
    "recsys/evaluation/facts.py",
    "recsys/models/encoders/protocol.py",
    "recsys/candidates/sources/source.py",
    "recsys/index/backend.py",
    "recsys/objectives/term.py",
}
# Two ideas cannot be parted there: the door and the shelf behind it; the questions and what they are asked of;
# and the tests of the door ask one model, which is fitted once. A batch of events and one of sets are the same batch.
LONGER = {
    "recsys/recommender.py": 500,
    "recsys/serving/answers.py": 470,
    "recsys/sampling/batches.py": 330,
    "pipelines/experiments/study.py": 270,
    "tests/test_recommender.py": 300,
}
FIELDS_ALONE = {"baselines", "embed", "evaluate", "index", "ingest", "pairs", "register", "study"}
ROOMS = [path for path in SOURCES if path.name == "__init__.py" and path.parent.name != "recsys"]
BANNED = {"utils", "util", "helpers", "helper", "common", "misc", "base"}


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("source", [path for path in SOURCES if path.name != "__init__.py"], ids=relative)
def test_every_file_has_its_mirror(source: Path) -> None:
    if relative(source) in PLAIN:
        return
    package, *rooms, name = source.relative_to(ROOT).parts
    if rooms == ["settings"] and source.stem in FIELDS_ALONE:
        return  # test_table.py holds all of them to their rules
    mirror = ROOT / "tests" / Path(*(rooms if package == "recsys" else ["pipelines", *rooms])) / f"test_{name}"
    assert mirror.is_file(), f"{relative(source)} must have {relative(mirror)}"


@pytest.mark.parametrize("path", SOURCES + TESTS, ids=relative)
def test_no_file_is_longer_than_250_lines_without_a_reason(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LONGER.get(relative(path), 250)


@pytest.mark.parametrize("path", SOURCES + TESTS, ids=relative)
def test_no_file_is_named_for_nothing(path: Path) -> None:
    assert not {path.stem.removeprefix("test_"), *path.relative_to(ROOT).parts[:-1]} & BANNED


@pytest.mark.parametrize("path", ROOMS, ids=relative)
def test_a_room_says_what_it_is_and_exports_nothing(path: Path) -> None:
    text = path.read_text().strip()
    assert text.startswith('"""') and text.endswith('"""') and text.count('"""') == 2


def test_nothing_is_ever_unpickled() -> None:
    forbidden = re.compile(r"import pickle|pickle\.load|torch\.load|joblib|allow_pickle=True|cloudpickle")
    assert [relative(path) for path in SOURCES if forbidden.search(path.read_text())] == []


def test_every_module_is_held_by_a_layer() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = {each["containers"][0]: each["layers"] for each in contracts if each["type"] == "layers"}
    for container, listed in layers.items():
        named = {name.strip() for line in listed for name in line.split("|")}
        folder = ROOT / container.replace(".", "/")
        there = {path.stem for path in folder.glob("*.py") if path.stem != "__init__"}
        there |= {path.parent.name for path in folder.glob("*/__init__.py")}
        assert there == named, container


def test_contracts_name_packages_and_few_files() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    files = {name for each in contracts for name in each.get("source_modules", []) if name.count(".") > 1}
    assert files <= {"recsys.sampling.batches", "recsys.sampling.negatives"}
