import json
from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow import MlflowClient

from pipelines.tracking import runs as tracking

TAG = "mlflow.parentRunId"


@pytest.fixture
def registered(finished: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    tracking.connect(finished.parent, finished.name)
    return json.loads((finished / "register" / "registered.json").read_text())


def test_one_parent_run_has_a_nested_run_a_stage(registered: dict[str, str]) -> None:
    client = MlflowClient()
    children = client.search_runs([registered["experiment_id"]], filter_string=f"tags.`{TAG}` = '{registered['run_id']}'")
    assert {run.info.run_name for run in children} == {
        "ingest",
        "split",
        "pairs",
        "pretrain",
        "train",
        "embed",
        "index",
        "retrieve",
        "baselines",
        "evaluate",
    }
    train = next(run for run in children if run.info.run_name == "train")
    assert train.data.params["n_epochs"] == "3"
    history = client.get_metric_history(train.info.run_id, "validation_ndcg")
    assert [metric.step for metric in history] == [1, 2, 3]
    assert all(run.info.status == "FINISHED" for run in children)


def test_figures_files_and_the_data_with_its_digest_are_logged(registered: dict[str, str], finished: Path) -> None:
    run = MlflowClient().get_run(registered["run_id"])
    rows = json.loads((finished / "evaluate" / "metrics.json").read_text())
    value = next(row["value"] for row in rows if row["model"] == "two-tower" and row["metric"] == "ndcg@5")
    assert run.data.metrics["ndcg_at_5"] == pytest.approx(value)
    files = {item.path for item in MlflowClient().list_artifacts(registered["run_id"])}
    assert {"report.html", "metrics.json", "candidates.parquet", "index.json"} <= files
    digest = json.loads((finished / "split" / "manifest.json").read_text())["outputs"]["train.parquet"]
    assert run.inputs.dataset_inputs[0].dataset.digest == digest[:36]


def test_a_model_that_does_not_beat_a_baseline_is_challenger_with_the_reason(registered: dict[str, str]) -> None:
    version = MlflowClient().get_model_version_by_alias(registered["model"], registered["alias"])
    comparisons = version.tags["verdict"]
    assert str(version.version) == registered["version"]
    assert (registered["alias"] == "champion") == ("beats every baseline" in comparisons)
    assert version.tags["gate"] == ("passed" if registered["alias"] == "champion" else "failed")
    assert version.tags["gate.reason"] == comparisons


def test_registering_the_same_run_again_adds_no_version(
    finished: Path, registered: dict[str, str], run_stage: Callable[[str, Path], None]
) -> None:
    run_stage("register", finished)
    assert json.loads((finished / "register" / "registered.json").read_text()) == registered
    assert len(MlflowClient().search_model_versions(f"name = '{registered['model']}'")) == 1


def test_a_half_written_run_is_removed(registered: dict[str, str]) -> None:
    client = MlflowClient()
    half = client.create_run(registered["experiment_id"], tags={tracking.LINEAGE_TAG: "half"})
    assert tracking.find_finished_run(registered["experiment_id"], "half") is None
    assert client.get_run(half.info.run_id).info.lifecycle_stage == "deleted"


def test_a_run_without_validation_is_logged_without_that_metric(unvalidated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    tracking.connect(unvalidated.parent, unvalidated.name)
    registered = json.loads((unvalidated / "register" / "registered.json").read_text())
    client = MlflowClient()
    children = client.search_runs([registered["experiment_id"]], filter_string=f"tags.`{TAG}` = '{registered['run_id']}'")
    runs = {run.info.run_name: run for run in children}
    history = [metric.step for metric in client.get_metric_history(runs["train"].info.run_id, "loss")]
    assert history == [1, 2, 3]
    assert not [name for name in runs["train"].data.metrics if name.startswith("validation")]
    assert runs["train"].data.metrics["best_epoch"] == 3
    protocol = json.loads((unvalidated / "evaluate" / "manifest.json").read_text())["facts"]["protocol"]
    assert runs["evaluate"].data.tags["fact.protocol"].splitlines() == protocol
