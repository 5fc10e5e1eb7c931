from pathlib import Path

import mlflow
import pytest

from pipelines import tracking


def test_the_store_is_a_file_under_artifacts_unless_the_user_names_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    tracking.connect(tmp_path, "here")
    assert mlflow.get_tracking_uri() == f"sqlite:///{tmp_path / 'mlflow.db'}"
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
