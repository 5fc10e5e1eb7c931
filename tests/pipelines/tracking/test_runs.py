import shutil
from pathlib import Path

import mlflow
import polars as pl
import pytest

from pipelines.tracking import runs as tracking

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def store(tmp_path: Path, empty_store: Path) -> None:
    """Where artifacts go, there is a store already; setting one up is a test of its own."""
    for folder in (tmp_path, tmp_path / "artifacts"):
        folder.mkdir(exist_ok=True)
        shutil.copy(empty_store, folder)


def test_the_store_is_a_file_under_artifacts_unless_the_user_names_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    tracking.connect(tmp_path, "here")
    assert mlflow.get_tracking_uri() == f"sqlite:///{tmp_path / 'mlflow.db'}"
    tracking.connect(tmp_path / "artifacts", "here")
    assert mlflow.get_tracking_uri() == f"sqlite:///{tmp_path / 'artifacts' / 'mlflow.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'other.db'}")
    tracking.connect(tmp_path, "there")
    assert (tmp_path / "other.db").is_file()


def test_artifacts_stay_under_the_folder_and_no_mlruns_appears(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    experiment = tracking.connect(tmp_path / "artifacts", "here")
    (tmp_path / "note.txt").write_text("x")
    with tracking.parent_run(experiment, name="a", lineage="l"):
        tracking.log_files([tmp_path / "note.txt"])
    assert list((tmp_path / "artifacts" / "mlflow").rglob("note.txt"))
    assert not (tmp_path / "mlruns").exists()


def test_a_run_whose_block_fails_is_not_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    experiment = tracking.connect(tmp_path, "here")
    with pytest.raises(ZeroDivisionError), tracking.parent_run(experiment, name="a", lineage="l"):
        raise ZeroDivisionError
    assert tracking.find_finished_run(experiment, "l") is None
    with tracking.parent_run(experiment, name="a", lineage="l") as run_id:
        pass
    assert tracking.find_finished_run(experiment, "l") == run_id


def test_epochs_without_validation_are_logged_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    experiment = tracking.connect(tmp_path, "here")
    epochs = pl.DataFrame(
        {"epoch": [1, 2], "loss": [2.0, 1.0], "validation_ndcg": [None, None], "scale": [20.0, 21.0]},
        schema_overrides={"validation_ndcg": pl.Float64},
    )
    with tracking.parent_run(experiment, name="a", lineage="l") as run_id:
        tracking.log_epochs(run_id, epochs)
    assert mlflow.MlflowClient().get_run(run_id).data.metrics == {"loss": 1.0, "scale": 21.0}


def test_facts_are_metrics_or_tags_and_lines_are_one_tag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    experiment = tracking.connect(tmp_path, "here")
    facts = {"n": 3, "nothing": None, "verdict": "good", "protocol": ["Split: a", "Ties: b"]}
    manifest = {"stage": "evaluate", "config": {}, "facts": facts, "start_time": 0.0, "seconds": 1.0}
    with tracking.parent_run(experiment, name="a", lineage="l") as run_id:
        nested = tracking.log_stage(run_id, manifest)
    data = mlflow.MlflowClient().get_run(nested).data
    assert data.metrics == {"n": 3.0, "seconds": 1.0}
    assert data.tags["fact.protocol"] == "Split: a\nTies: b"
    assert data.tags["fact.verdict"] == "good"
