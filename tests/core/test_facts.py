import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from recsys.core.errors import ArtefactError
from recsys.core.facts import as_table, read_facts


@dataclass(frozen=True, kw_only=True)
class _Facts:
    n_rows: int
    names: list[str]
    cut: str | None = None


def _write(folder: Path, facts: dict) -> None:
    (folder / "manifest.json").write_text(json.dumps({"facts": facts}))


def test_facts_come_back_as_they_were_written(tmp_path: Path) -> None:
    told = _Facts(n_rows=3, names=["a", "b"])
    _write(tmp_path, as_table(told))
    assert read_facts(tmp_path, _Facts) == told


@pytest.mark.parametrize(
    ("facts", "differs"),
    [({"n_rows": 3, "names": []}, "cut"), ({"n_rows": 3, "names": [], "cut": None, "more": 1}, "more")],
)
def test_a_manifest_of_another_version_is_refused_whole(tmp_path: Path, facts: dict, differs: str) -> None:
    _write(tmp_path, facts)
    with pytest.raises(ArtefactError, match=f"differs in {differs}; make it again"):
        read_facts(tmp_path, _Facts)


def test_a_stage_that_has_not_run_has_no_facts(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match=r"manifest\.json must exist"):
        read_facts(tmp_path, _Facts)
