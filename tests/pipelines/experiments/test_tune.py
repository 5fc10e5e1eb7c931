import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import mlflow
import optuna
import polars as pl
import pytest

from pipelines.experiments import tune
from recsys.core.errors import TrainingError
from recsys.training.loop import Trainer
from recsys.training.resume import EpochRecord
from recsys.training.settings import training_settings
from tests.finished_run import change_settings

pytestmark = pytest.mark.slow

SPACE = {"learning_rate": {"low": 1e-4, "high": 1e-2, "log": True}, "dim": [8, 16]}


@pytest.fixture
def search(copy_of: Path, run_stage: Callable[[str, Path], None], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Search in a copy of the finished run; keywords are the table [tune]."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)

    def run(n_epochs: int = 2, **settings: object) -> Path:
        path = copy_of / "config" / "tune.json"
        path.write_text(json.dumps({"profile": "tiny", "settings": {"space": SPACE} | settings}))
        train = json.loads((copy_of / "config" / "train.json").read_text())
        train["settings"]["n_epochs"] = n_epochs
        (copy_of / "config" / "train.json").write_text(json.dumps(train))
        run_stage("tune", copy_of)
        return copy_of / "tune"

    return run


def _trials(folder: Path) -> pl.DataFrame:
    return pl.read_parquet(folder / "trials.parquet")


def _nested_runs(folder: Path) -> list[mlflow.entities.Run]:
    client = mlflow.MlflowClient(f"sqlite:///{folder.parent.parent / 'mlflow.db'}")
    runs = client.search_runs([client.get_experiment_by_name("tiny").experiment_id])
    return [run for run in runs if (run.info.run_name or "").startswith("trial ")]


def test_a_search_tries_what_was_asked_and_its_best_lines_fit_a_profile(search: Callable[..., Path]) -> None:
    folder = search(n_trials=3)
    trials = _trials(folder)
    assert trials.height == 3
    assert trials["dim"].is_in([8, 16]).all()
    assert trials["learning_rate"].is_between(1e-4, 1e-2).all()
    best = tomllib.loads((folder / "best.toml").read_text())["train"]
    assert best == {name: trials.row(0, named=True)[name] for name in SPACE}
    assert training_settings(best).model.dim == best["dim"]
    runs = _nested_runs(folder)
    assert sorted(run.data.params["dim"] for run in runs) == sorted(map(str, trials["dim"]))
    logged = max(run.data.metrics["validation_ndcg"] for run in runs)
    assert trials["validation_ndcg"][0] >= logged > 0


def test_more_trials_go_on_where_a_finished_search_ended(search: Callable[..., Path]) -> None:
    first = _trials(search(n_trials=2))
    second = _trials(search(n_trials=4))
    assert second.height == 4
    assert second.filter(pl.col("trial").is_in(first["trial"].implode())).sort("trial").equals(first.sort("trial"))
    assert search(n_trials=4) and _trials(search(n_trials=3)).height == 4


def test_a_trial_that_was_cut_off_is_taken_up_again(search: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    begun, fit = [], Trainer.fit

    def cut_off(self: Trainer, **options: object):
        begun.append(self.model.spec.dim)
        for record in fit(self, **options):
            yield record
            if len(begun) == 2:
                raise KeyboardInterrupt

    monkeypatch.setattr(Trainer, "fit", cut_off)
    with pytest.raises(SystemExit):
        search(n_trials=3)
    epochs: list[int] = []

    def count(self: Trainer, **options: object):
        yielded = len(self.records)
        for record in fit(self, on_step=lambda step: epochs.append(step.epoch)):
            yielded += 1
            yield record

    monkeypatch.setattr(Trainer, "fit", count)
    folder = search(n_trials=3)
    trials = _trials(folder).sort("trial")
    assert trials["trial"].to_list() == [0, 2, 3]
    assert trials["dim"][1] == begun[1]
    assert epochs[0] == 2, "the first epoch of the trial that was cut off is not done again"
    assert sorted(run.info.run_name for run in _nested_runs(folder)) == ["trial 0", "trial 2", "trial 3"]
    assert len({tuple(sorted(run.data.params.items())) for run in _nested_runs(folder)}) == 3


def test_a_trial_that_kills_every_search_is_given_up(search: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    begun, fit = [], Trainer.fit

    def die(self: Trainer, **options: object):
        begun.append(self.model.spec.dim)
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(Trainer, "fit", die)
    for _ in range(3):
        with pytest.raises(SystemExit):
            search(n_trials=1)
    monkeypatch.setattr(Trainer, "fit", fit)
    trials = _trials(search(n_trials=1))
    assert trials["trial"].to_list() == [3]
    study = optuna.load_study(study_name=None, storage=f"sqlite:///{search(n_trials=1) / 'study' / 'trials.db'}")
    tried = [trial.params for trial in study.trials]
    assert tried[0] == tried[1] == tried[2] != tried[3]


def test_pre_training_is_said_to_be_left_out(
    search: Callable[..., Path], copy_of: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change_settings(copy_of, "pretrain", n_epochs=2)
    search(n_trials=1)
    assert "[pretrain] is left out" in capsys.readouterr().err


def test_other_base_settings_are_another_search(search: Callable[..., Path], copy_of: Path) -> None:
    first = _trials(search(n_trials=2))
    change_settings(copy_of, "train", dropout=0.5)
    assert _trials(search(n_trials=2))["validation_ndcg"].to_list() != first["validation_ndcg"].to_list()


def test_settings_that_cannot_be_trained_are_told_and_passed_over(
    search: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = search(n_trials=4, space=SPACE | {"dim": [8, 15]})
    assert "dim must be a multiple of twice n_heads (4), got 15" in capsys.readouterr().err
    assert set(_trials(folder)["dim"]) == {8}
    assert {run.data.tags["recsys.state"] for run in _nested_runs(folder)} == {"complete", "fail"}


def test_a_space_in_which_nothing_can_be_trained_ends_the_search(
    search: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        search(n_trials=2, space={"dim": [15]})
    assert caught.value.code == 2
    assert "most trials must be trainable, got 6 that failed" in capsys.readouterr().err


def test_a_trial_that_diverges_is_passed_over(search: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    fits, fit = [], Trainer.fit

    def diverge(self: Trainer, **options: object):
        fits.append(self)
        if len(fits) == 1:
            raise TrainingError("train: loss and gradient must stay numbers")
        yield from fit(self, **options)

    monkeypatch.setattr(Trainer, "fit", diverge)
    assert _trials(search(n_trials=2))["trial"].sort().to_list() == [1, 2]


def test_a_trial_worse_than_the_median_is_stopped_and_its_run_says_so(
    search: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fit(self: Trainer, **_: object):
        self.records = []
        for epoch in range(1, self.settings.loop.n_epochs + 1):
            value = 0.0 if len(started) > 5 else 0.5
            self.records.append(
                EpochRecord(epoch=epoch, loss=1.0, validation_ndcg=value, scale=20.0, n_steps=1, n_targets=1, is_best=True)
            )
            yield self.records[-1]

    started, build = [], tune.build_trainer
    monkeypatch.setattr(tune, "build_trainer", lambda *args, **named: (started.append(1), build(*args, **named))[1])
    monkeypatch.setattr(Trainer, "fit", fit)
    folder = search(n_trials=6, n_epochs=6)
    assert _trials(folder).sort("trial")["state"].to_list() == ["complete"] * 5 + ["pruned"]
    (pruned,) = [run for run in _nested_runs(folder) if run.data.tags["recsys.state"] == "pruned"]
    client = mlflow.MlflowClient(f"sqlite:///{folder.parent.parent / 'mlflow.db'}")
    assert len(client.get_metric_history(pruned.info.run_id, "validation_ndcg")) == 2
    parent = client.get_run(pruned.data.tags["mlflow.parentRunId"])
    assert parent.info.run_name == "tune tiny"


def test_without_a_validation_part_there_is_nothing_to_choose_by(
    unvalidated: Path, run_stage: Callable[[str, Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        run_stage("tune", unvalidated)
    assert "there must be a validation part to choose by" in capsys.readouterr().err
    assert not (unvalidated / "tune").exists()
