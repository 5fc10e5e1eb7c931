from pathlib import Path

import grimp
import pytest

from recsys.core.code import hash_code, imported_modules


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "some_package"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "one.py").write_text("from some_package import two\n")
    (folder / "two.py").write_text("def late():\n    from some_package.three import a\n")
    (folder / "three.py").write_text("a = 1\n")
    (folder / "four.py").write_text("import some_package.one\n")
    monkeypatch.syspath_prepend(tmp_path)
    return folder


def test_what_is_imported_is_found_whatever_the_form_of_the_import(package: Path) -> None:
    assert list(imported_modules("some_package.one")) == [f"some_package.{name}" for name in ("one", "three", "two")]
    assert len(imported_modules("some_package")) == 4


@pytest.mark.parametrize("name", ["recsys.training.build", "recsys.candidates.part_worker", "pipelines.stages.evaluate"])
def test_it_finds_what_grimp_finds(name: str) -> None:
    graph = grimp.build_graph("recsys", "pipelines")
    wanted = {name} | {module for module in graph.find_upstream_modules(name) if not graph.find_children(module)}
    assert set(imported_modules(name)) == wanted


def test_the_hash_follows_imported_code_and_no_other(package: Path) -> None:
    before = hash_code("some_package.one")
    (package / "four.py").write_text("b = 2\n")
    assert hash_code("some_package.one") == before
    (package / "three.py").write_text("a = 2\n")
    assert hash_code("some_package.one") != before


def test_a_training_owes_nothing_to_caps_and_reports_and_a_report_nothing_to_towers() -> None:
    training = set(imported_modules("pipelines.stages.train"))
    assert not {"recsys.candidates.caps", "recsys.evaluation.report", "recsys.index.annoy"} & training
    assert {"recsys.index.exact", "recsys.losses.softmax", "pipelines.settings.train"} <= training
    towers = {name for name in imported_modules("pipelines.stages.evaluate") if name.startswith("recsys.models.")}
    assert towers <= {"recsys.models.facts"}
