import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.finished_run import change_settings


def test_the_recall_is_measured_and_reaches_its_target(finished: Path) -> None:
    about = json.loads((finished / "index" / "index.json").read_text())
    assert about["backend"] == "annoy"
    assert about["recall"] >= 0.99
    assert about["k"] == 20


def test_the_exact_backend_needs_no_file(copy_of: Path, run_stage: Callable[[str, Path], None]) -> None:
    change_settings(copy_of, "index", backend="exact")
    run_stage("index", copy_of)
    run_stage("retrieve", copy_of)
    assert sorted(file.name for file in (copy_of / "index").iterdir()) == ["index.json", "manifest.json"]


def test_an_index_of_other_vectors_is_refused(
    copy_of: Path, run_stage: Callable[[str, Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    path = copy_of / "index" / "index.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"vectors_sha256": "0" * 64}))
    with pytest.raises(SystemExit) as caught:
        run_stage("retrieve", copy_of)
    assert caught.value.code == 2
    assert "must be built from the vectors of" in capsys.readouterr().err
