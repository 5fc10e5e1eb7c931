"""MLflow runs: one parent run a pipeline, a nested run a stage, written from the manifests once all stages are done."""

import logging
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
logging.getLogger("alembic").setLevel(logging.WARNING)

import mlflow  # noqa: E402
from mlflow import MlflowClient  # noqa: E402
from mlflow.data.polars_dataset import from_polars  # noqa: E402
from mlflow.entities import Metric, Param  # noqa: E402

LINEAGE_TAG = "recsys.lineage"
_PARENT_TAG = "mlflow.parentRunId"
_TRIAL_TAG = "recsys.trial"
_LONGEST_PARAM = 500
_LONGEST_TAG = 5000
_LONGEST_DIGEST = 36


def connect(root: Path, experiment: str) -> str:
    """Point MLflow at its store and make sure of the experiment.

    Args:
        root: The folder `artifacts`; the store is a sqlite file there unless MLFLOW_TRACKING_URI says otherwise.
        experiment: The experiment's name.

    Returns:
        The experiment's id.
    """
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    uri = os.environ.get("MLFLOW_TRACKING_URI")
    mlflow.set_tracking_uri(uri or f"sqlite:///{(root / 'mlflow.db').resolve()}")
    if uri is None:
        os.environ.pop("MLFLOW_TRACKING_URI", None)  # MLflow put it there; another root has a store of its own
    found = mlflow.get_experiment_by_name(experiment)
    if found is not None:
        return str(found.experiment_id)
    location = None if uri else (root / "mlflow" / experiment).resolve().as_uri()
    return str(mlflow.create_experiment(experiment, artifact_location=location))


def find_finished_run(experiment_id: str, lineage: str) -> str | None:
    """The parent run that already holds these very artefacts; half-written ones of an interrupted try are deleted."""
    client = MlflowClient()
    filter_string = f"tags.`{LINEAGE_TAG}` = '{lineage}'"
    for run in client.search_runs([experiment_id], filter_string=filter_string):
        if run.info.status == "FINISHED":
            return str(run.info.run_id)
        for child in client.search_runs([experiment_id], filter_string=f"tags.`{_PARENT_TAG}` = '{run.info.run_id}'"):
            client.delete_run(child.info.run_id)
        client.delete_run(run.info.run_id)
    return None


@contextmanager
def parent_run(experiment_id: str, *, name: str, lineage: str) -> Iterator[str]:
    """The pipeline's run; it is FINISHED only if the block ends without an error."""
    with mlflow.start_run(experiment_id=experiment_id, run_name=name, tags={LINEAGE_TAG: lineage}) as run:
        yield str(run.info.run_id)


@contextmanager
def tuning_run(experiment_id: str, *, name: str, key: str) -> Iterator[str]:
    """The parent run of a search for settings: the same one again for the same key."""
    found = MlflowClient().search_runs([experiment_id], filter_string=f"tags.`recsys.study` = '{key}'")
    which = {"run_id": found[0].info.run_id} if found else {"run_name": name, "tags": {"recsys.study": key}}
    with mlflow.start_run(experiment_id=experiment_id, **which) as run:
        yield str(run.info.run_id)


def forget_trials(parent: str, *, cut_off: set[int]) -> None:
    """Delete the nested runs of the trials that a killed search was in, and those that were never ended."""
    client = MlflowClient()
    experiment_id = client.get_run(parent).info.experiment_id
    for run in client.search_runs([experiment_id], filter_string=f"tags.`{_PARENT_TAG}` = '{parent}'"):
        if run.info.status == "RUNNING" or int(run.data.tags[_TRIAL_TAG]) in cut_off:
            client.delete_run(run.info.run_id)


def start_trial(parent: str, *, number: int, params: Mapping[str, Any]) -> str:
    """Open a nested run for one trial of a search.

    Returns:
        Its id.
    """
    client = MlflowClient()
    tags = {_PARENT_TAG: parent, _TRIAL_TAG: str(number)}
    run = client.create_run(client.get_run(parent).info.experiment_id, tags=tags, run_name=f"trial {number}")
    named = [Param(name, str(value)[:_LONGEST_PARAM]) for name, value in params.items()]
    client.log_batch(run.info.run_id, params=named)
    return str(run.info.run_id)


def end_trial(run_id: str, *, epochs: pl.DataFrame, state: str) -> None:
    """Close it, with loss and validation of each epoch.

    Args:
        run_id: From `start_trial`.
        epochs: One row an epoch.
        state: `complete`, `pruned` or `fail`.
    """
    if epochs.height:
        log_epochs(run_id, epochs)
    MlflowClient().set_tag(run_id, "recsys.state", state)
    MlflowClient().set_terminated(run_id, status="FAILED" if state == "fail" else "FINISHED")


def log_stage(parent: str, manifest: Mapping[str, Any]) -> str:
    """One nested run from one manifest: settings as parameters, facts as metrics (numbers) and tags (text), true times.

    Returns:
        The nested run's id.
    """
    client, start = MlflowClient(), int(manifest["start_time"] * 1000)
    experiment_id = client.get_run(parent).info.experiment_id
    tags = {_PARENT_TAG: parent, "recsys.stage": manifest["stage"]}
    run = client.create_run(experiment_id, start_time=start, tags=tags, run_name=manifest["stage"])
    params = [Param(name, str(value)[:_LONGEST_PARAM]) for name, value in manifest["config"].items()]
    end = start + int(manifest["seconds"] * 1000)
    numbers = {name: value for name, value in manifest["facts"].items() if isinstance(value, int | float)}
    numbers |= {"seconds": manifest["seconds"]}
    metrics = [Metric(name.replace("@", "_at_"), float(value), end, 0) for name, value in numbers.items()]
    client.log_batch(run.info.run_id, params=params, metrics=metrics)
    for name, value in manifest["facts"].items():
        lines = [value] if isinstance(value, str) else value
        if isinstance(lines, list) and all(isinstance(line, str) for line in lines):
            client.set_tag(run.info.run_id, f"fact.{name}", "\n".join(lines)[:_LONGEST_TAG])
    client.set_terminated(run.info.run_id, status="FINISHED", end_time=end)
    return str(run.info.run_id)


def log_epochs(run_id: str, epochs: pl.DataFrame) -> None:
    """Loss, validation (where there is one) and scale of each epoch as metrics with steps."""
    named = [name for name in ("loss", "validation_ndcg", "scale") if epochs[name].null_count() == 0]
    metrics = [Metric(name, float(row[name]), 0, int(row["epoch"])) for row in epochs.iter_rows(named=True) for name in named]
    _log_metrics(run_id, metrics)


def _log_metrics(run_id: str, metrics: list[Metric]) -> None:
    """MLflow takes at most 1,000 in one message."""
    for begin in range(0, len(metrics), 1000):
        MlflowClient().log_batch(run_id, metrics=metrics[begin : begin + 1000])


def log_results(run_id: str, rows: list[dict[str, Any]], *, model: str) -> None:
    """The model's figures with their intervals, and every baseline's value, as metrics of one run."""
    values: dict[str, float] = {}
    for row in rows:
        name = row["metric"].replace("@", "_at_")
        if row["model"] == model:
            values |= {name: row["value"], f"{name}_low": row["low"], f"{name}_high": row["high"]}
        else:
            values[f"{row['model']}.{name}"] = row["value"]
    _log_metrics(run_id, [Metric(name, float(value), 0, 0) for name, value in values.items()])


def log_dataset(path: Path, *, name: str, digest: str) -> None:
    """Note the training data as an input of the active run: its schema, source and the hash of the whole file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sample = pl.read_parquet(path, n_rows=1000)
        dataset = from_polars(sample, source=str(path), name=name, digest=digest[:_LONGEST_DIGEST])
        mlflow.log_input(dataset, context="training")


def log_files(files: list[Path]) -> None:
    """Keep files as artifacts of the active run."""
    for file in files:
        mlflow.log_artifact(str(file))
