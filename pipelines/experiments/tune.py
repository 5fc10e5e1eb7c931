"""tune: search for the settings of `[train]` that rank best on validation; the test part is not looked at.

The study is kept, so an interrupted search goes on where it was, inside the trial that was cut off, and a finished one goes
on if `n_trials` is raised. Outputs: `trials.parquet`, `best.toml`, and every trial as a nested MLflow run.
"""

import hashlib
import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import optuna
import polars as pl
import torch
from rich.table import Table

from pipelines.settings.train import read_train
from pipelines.settings.tune import Range, TuneSettings
from pipelines.stages.stage import Stage, StageRun, console
from recsys.core.errors import ConfigError, RecsysError
from recsys.core.files import MANIFEST, read_json, write_atomically
from recsys.features.facts import PairsFacts
from recsys.training.build import build_trainer, code_of_training, prepare_machine, read_training_data
from recsys.training.resume import EpochRecord
from recsys.training.settings import TRAIN_KNOBS, TrainingSettings

_STARTUP_TRIALS = 5
_MOST_CUT_OFF = 2
_MOST_FAILED = 5
_COMPLETE, _PRUNED = optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED
_FAIL = optuna.trial.TrialState.FAIL


@dataclass(frozen=True, slots=True, kw_only=True)
class TuneFacts:
    """What the search found; every trial starts at random weights.

    Attributes:
        n_trials: Finished trials.
        best_trial: The number of the best.
        validation_ndcg: Its NDCG@10 on validation.
        base: The settings beside the searched ones.
    """

    n_trials: int
    best_trial: int
    validation_ndcg: float
    base: dict[str, Any]


def work(stage: StageRun[TuneSettings]) -> TuneFacts:
    """Try settings until there are as many finished trials as asked for."""
    from pipelines.tracking import runs as tracking

    if stage.facts_of("pairs", PairsFacts).n_validation == 0:
        raise ConfigError("tune: there must be a validation part to choose by, got none; set [split] validation = true")
    base = read_train(stage.settings_of("train"))
    if stage.settings_of("pretrain")["n_epochs"]:
        stage.say("every trial starts at random weights; [pretrain] is left out, and the best settings may be others with it")
    key = _key(stage, base)
    storage = optuna.storages.RDBStorage(f"sqlite:///{_study_file(stage)}")
    try:
        study, cut_off = _open_study(storage, key, seed=stage.settings.seed)
        n_done = len(_done(study))
        if n_done:
            stage.say(f"{n_done} trials are done already, {max(0, stage.settings.n_trials - n_done)} to go")
        experiment_id = tracking.connect(stage.run.parent, stage.run.name)
        with tracking.tuning_run(experiment_id, name=f"tune {stage.run.name}", key=key) as parent:
            tracking.forget_trials(parent, cut_off=cut_off)
            while len(_done(study)) < stage.settings.n_trials:
                _run_trial(stage, study, base, parent)
        return _write_results(stage, study, base)
    finally:
        storage.engine.dispose()


def _key(stage: StageRun[TuneSettings], base: TrainingSettings) -> str:
    """Trials of other data, other settings beside the searched ones, another space or other code are another study."""
    space = stage.settings.model_dump(mode="json")["space"]
    fixed = {name: value for name, value in base.as_table().items() if name not in space}
    outputs = read_json(stage.run / "pairs" / MANIFEST)["outputs"]
    depends = json.dumps([fixed, space, outputs, code_of_training(), torch.__version__], sort_keys=True)
    return hashlib.sha256(depends.encode()).hexdigest()[:16]


def _open_study(storage: optuna.storages.RDBStorage, key: str, *, seed: int) -> tuple[optuna.Study, set[int]]:
    """The study of this key, and the trials that were cut off: they are failed, and their settings come first again.

    Only a few times, since settings can be what kills the process.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        study_name=key,
        storage=storage,
        load_if_exists=True,
        direction="maximize",
        pruner=optuna.pruners.MedianPruner(n_startup_trials=_STARTUP_TRIALS, n_warmup_steps=2),
    )
    cut_off = study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,))
    for trial in cut_off:
        study.tell(trial.number, state=_FAIL)
        n_cut_off = trial.user_attrs.get("n_cut_off", 0) + 1
        if n_cut_off <= _MOST_CUT_OFF:
            study.enqueue_trial(trial.params, user_attrs={"n_cut_off": n_cut_off})
    study.sampler = optuna.samplers.TPESampler(seed=seed + len(study.trials), n_startup_trials=_STARTUP_TRIALS)
    return study, {trial.number for trial in cut_off}


def _run_trial(stage: StageRun[TuneSettings], study: optuna.Study, base: TrainingSettings, parent: str) -> None:
    """One trial; settings that cannot be trained are told and passed over, unless nothing else comes."""
    from pipelines.tracking import runs as tracking

    trial = study.ask()
    chosen = _choose(trial, stage.settings)
    run_id = tracking.start_trial(parent, number=trial.number, params=chosen)
    records: list[EpochRecord] = []
    try:
        is_pruned = _train(stage, trial, _settings_of(base, chosen), records)
    except (RecsysError, torch.OutOfMemoryError) as error:
        tracking.end_trial(run_id, epochs=_table(records), state="fail")
        trial.set_user_attr("error", str(error))
        study.tell(trial, state=_FAIL)
        stage.say(f"trial {trial.number:3d}  failed: {error}  {_in_words(chosen)}")
        failed = [each for each in study.get_trials(deepcopy=False) if "error" in each.user_attrs]
        if len(failed) > _MOST_FAILED + len(_done(study)):
            raise ConfigError(
                f"tune: most trials must be trainable, got {len(failed)} that failed; narrow [tune] space"
            ) from None
        return
    state = _PRUNED if is_pruned else _COMPLETE
    best = max(record.validation_ndcg or 0.0 for record in records)
    tracking.end_trial(run_id, epochs=_table(records), state=state.name.lower())
    study.tell(trial, None if is_pruned else best, state=state)
    stage.say(f"trial {trial.number:3d}  {_score(best, is_pruned)}  {_in_words(chosen)}")


def _study_file(stage: StageRun[TuneSettings]) -> Path:
    """The study lies in what is kept of an interrupted search; a finished search is taken up again from its result."""
    folder, finished = stage.folder / "study", stage.run / "tune" / "study"
    if not folder.exists() and finished.exists():
        copy = stage.folder / ".study"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(finished, copy)
        copy.rename(folder)
    folder.mkdir(exist_ok=True)
    return (folder / "trials.db").resolve()


def _choose(trial: optuna.Trial, settings: TuneSettings) -> dict[str, Any]:
    chosen: dict[str, Any] = {}
    for name, where in settings.space.items():
        if not isinstance(where, Range):
            chosen[name] = trial.suggest_categorical(name, where)
        elif TRAIN_KNOBS[name].kind is int:
            chosen[name] = trial.suggest_int(name, int(where.low), int(where.high), log=where.log)
        else:
            chosen[name] = trial.suggest_float(name, where.low, where.high, log=where.log)
    return chosen


def _settings_of(base: TrainingSettings, chosen: dict[str, Any]) -> TrainingSettings:
    try:
        return base.change(**chosen)
    except ConfigError as error:
        raise ConfigError(f"[tune] space: {error}") from None


def _train(stage: StageRun[TuneSettings], trial: optuna.Trial, settings: TrainingSettings, records: list[EpochRecord]) -> bool:
    """Fill `records`; True if it was stopped, worse than the median of the others after as many epochs."""
    n_epochs, device = settings.loop.n_epochs, prepare_machine(settings.machine)
    checkpoint = stage.folder / "study" / "checkpoint"
    trainer = build_trainer(settings, read_training_data(stage.run / "pairs"), device=device, checkpoint=checkpoint)
    with stage.progress(f"trial {trial.number}", n_epochs) as show:
        for record in trainer.fit():
            records.append(record)
            best = max(each.validation_ndcg or 0.0 for each in records)
            trial.report(best, record.epoch)
            show(record.epoch, f"validation NDCG@10 {best:.4f}")
            if record.epoch < n_epochs and trial.should_prune():
                return True
    return False


def _done(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    return study.get_trials(deepcopy=False, states=(_COMPLETE, _PRUNED))


def _table(records: list[EpochRecord]) -> pl.DataFrame:
    return pl.DataFrame([asdict(record) for record in records])


def _write_results(stage: StageRun[TuneSettings], study: optuna.Study, base: TrainingSettings) -> TuneFacts:
    shutil.rmtree(stage.folder / "study" / "checkpoint", ignore_errors=True)
    trials = _done(study)
    table = [{"trial": t.number, "validation_ndcg": t.value, "state": t.state.name.lower()} | t.params for t in trials]
    with write_atomically(stage.folder / "trials.parquet") as partial:
        pl.DataFrame(table).sort("validation_ndcg", descending=True).write_parquet(partial)
    lines = [f"{name} = {json.dumps(value)}" for name, value in study.best_params.items()]
    with write_atomically(stage.folder / "best.toml") as partial:
        partial.write_text("\n".join(["[train]", *lines]) + "\n", encoding="utf-8")
    best = study.best_trial
    _show(sorted(trials, key=lambda trial: -(trial.value or 0.0))[:10])
    stage.say(f"best is trial {best.number}; copy its lines from tune/best.toml into [train] of the profile")
    return TuneFacts(n_trials=len(trials), best_trial=best.number, validation_ndcg=best.value or 0.0, base=base.as_table())


def _show(trials: list[optuna.trial.FrozenTrial]) -> None:
    table = Table("trial", "validation NDCG@10", "settings", title="Best trials", title_justify="left")
    for trial in trials:
        is_pruned = trial.state == _PRUNED
        table.add_row(str(trial.number), _score(trial.value or 0.0, is_pruned), _in_words(trial.params))
    console.print(table)


def _score(value: float, is_pruned: bool) -> str:
    return f"{value:.4f}{' (stopped early)' if is_pruned else ''}"


def _in_words(params: dict[str, Any]) -> str:
    return "  ".join(f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}" for name, value in params.items())


STAGE = Stage(name="tune", read=TuneSettings.model_validate, work=work, keep="study")

if __name__ == "__main__":
    STAGE.main()
