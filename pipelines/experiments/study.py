"""study: what pre-training is worth: from scratch against fine-tuned where few users have targets, and linear probes.

Each training is kept, so an interrupted study goes on with the next one. Outputs: `study.json` and `study.html`.
"""

import hashlib
import json
import math
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from rich.table import Table

from pipelines.experiments.judging import judge, read_targets
from pipelines.settings.study import StudySettings
from pipelines.settings.train import read_train
from pipelines.stages.stage import Stage, StageRun, console
from recsys.core.code import hash_code
from recsys.core.columns import ITEM_ID, USER_ID
from recsys.core.errors import ConfigError
from recsys.core.files import MANIFEST, read_array, read_json, write_array, write_json
from recsys.core.random import rng_for
from recsys.data.facts import IngestFacts
from recsys.data.schema import category_columns
from recsys.data.vocabulary import read_vocabulary
from recsys.evaluation.linear_probe import macro, probe
from recsys.evaluation.protocol import state_request_time, state_split, state_ties
from recsys.evaluation.study_page import write_study_page
from recsys.features.facts import PairsFacts
from recsys.inference.embedding import embed_items, embed_users
from recsys.models.checkpoint import read_tensors
from recsys.models.facts import PretrainFacts
from recsys.splits.facts import SplitFacts
from recsys.training.build import build_trainer, prepare_machine, read_training_data
from recsys.training.loop import Trainer
from recsys.training.settings import TrainingSettings

SCRATCH, TUNED = "from scratch", "pre-trained"
_BATCH_TOKENS = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyFacts:
    """What the study found.

    Attributes:
        shares: A row a share of labelled users: both ways and the lift.
        probes: Macro AUROC of each attribute, by kind of vectors.
    """

    shares: list[dict[str, Any]]
    probes: dict[str, dict[str, float]]


def work(stage: StageRun[StudySettings]) -> StudyFacts:
    """Train both ways for each share of labelled users and each seed, then read attributes off the vectors."""
    if not stage.facts_of("pretrain", PretrainFacts).is_on:
        raise ConfigError("study: [pretrain] n_epochs must be above 0 to be studied, got 0; set it in the profile")
    settings = stage.settings
    _take_up_finished(stage)
    base = read_train(stage.settings_of("train"))
    arms = [
        _arm(stage, base, share=share, seed=seed, is_pretrained=is_pretrained)
        for share in settings.shares
        for seed in settings.seeds
        for is_pretrained in (False, True)
    ]
    probes = _probe_all(stage, base)
    rows = list(_summarise(arms))
    about = {"shares": rows, "arms": arms, "probes": probes}
    write_json(stage.folder / "study.json", about)
    write_study_page(stage.folder / "study.html", name=stage.run.name, rows=rows, probes=probes, protocol=_protocol(stage))
    _show(rows, probes)
    return StudyFacts(shares=rows, probes={name: values["macro"] for name, values in probes.items()})


def _arm(
    stage: StageRun[StudySettings], base: TrainingSettings, *, share: float, seed: int, is_pretrained: bool
) -> dict[str, Any]:
    """One training and its figures on test; from what is kept, if it was done before."""
    name = f"{share:g}-{seed}-{'pretrained' if is_pretrained else 'scratch'}"
    kept, key = stage.folder / "arms" / f"{name}.json", _key(stage, base)
    if kept.is_file() and (found := read_json(kept))["key"] == key:
        stage.say(f"{name}: done before")
        return dict(found)
    trainer = _build(stage, base, share=share, seed=seed, is_pretrained=is_pretrained)
    learned = trainer.histories.is_learned
    n_users = trainer.histories.n_users if learned is None else int(learned.sum())
    with stage.progress(name, trainer.settings.loop.n_epochs) as show:
        for record in trainer.fit():
            show(record.epoch, f"validation NDCG@10 {record.validation_ndcg or 0:.4f}")
    best = next(record for record in reversed(trainer.records) if record.is_best)
    figures = judge(trainer, read_targets(stage.run / "pairs", stage.run / "split" / "test.parquet"))
    about = {"key": key, "share": share, "seed": seed, "start": TUNED if is_pretrained else SCRATCH, "n_labelled": n_users}
    about |= figures | {"epoch": best.epoch, "n_epochs": len(trainer.records), "validation": best.validation_ndcg}
    if share == 1 and not is_pretrained and seed == stage.settings.seeds[0]:
        _write_vectors(stage, trainer, f"supervised-{key[:12]}")
    write_json(kept, about)
    stage.say(f"{share:7.2%} of users, seed {seed}, {about['start']:<12}  NDCG@10 {about['ndcg']:.4f}  epoch {best.epoch}")
    return about


def _take_up_finished(stage: StageRun[StudySettings]) -> None:
    """What a finished study has trained is there for the next one."""
    kept, finished = stage.folder / "arms", stage.run / "study" / "arms"
    if finished.is_dir() and not kept.is_dir():
        shutil.copytree(finished, kept)


def _build(stage: StageRun[StudySettings], base: TrainingSettings, *, share: float, seed: int, is_pretrained: bool) -> Trainer:
    """Smaller shares go over their data more often, at most `longest` times as often; validation is the same for all."""
    pairs = stage.run / "pairs"
    n_users = len(read_array(pairs / "train_end.npy"))
    n_labelled = max(1, round(n_users * share))
    chosen = rng_for(seed, "labelled users").choice(n_users, n_labelled, replace=False)
    changes = {
        "seed": seed,
        "n_epochs": base.loop.n_epochs * min(stage.settings.longest, math.ceil(1 / share)),
        "patience": max(base.labels.patience, stage.settings.patience),
    }
    settings = base.change(**changes)
    return build_trainer(
        settings,
        read_training_data(pairs),
        device=prepare_machine(settings.machine),
        start=_pretrained(stage) if is_pretrained else None,
        is_learned=None if share == 1 else np.isin(np.arange(n_users), chosen),
    )


def _pretrained(stage: StageRun[StudySettings]) -> dict[str, torch.Tensor]:
    return read_tensors(stage.read("pretrain") / "model.safetensors")


def _key(stage: StageRun[StudySettings], base: TrainingSettings) -> str:
    """What an arm depends on, beside its own share and seed."""
    manifests = [read_json(stage.read(name) / MANIFEST)["outputs"] for name in ("pairs", "pretrain")]
    own = stage.settings.model_dump(exclude={"shares", "seeds"})
    depends = json.dumps(
        [base.as_table(), own, manifests, hash_code("pipelines.experiments.study"), torch.__version__], sort_keys=True
    )
    return hashlib.sha256(depends.encode()).hexdigest()


def _summarise(arms: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """One row a share: means over seeds, and the lift."""
    for share in dict.fromkeys(arm["share"] for arm in arms):
        ndcg = {
            start: float(np.mean([arm["ndcg"] for arm in arms if arm["share"] == share and arm["start"] == start]))
            for start in (SCRATCH, TUNED)
        }
        lift = ndcg[TUNED] / ndcg[SCRATCH] - 1 if ndcg[SCRATCH] else None
        n_labelled = next(arm["n_labelled"] for arm in arms if arm["share"] == share)
        n_seeds = len({arm["seed"] for arm in arms if arm["share"] == share})
        yield {
            "share": share,
            "n_labelled": n_labelled,
            "n_seeds": n_seeds,
            "scratch": ndcg[SCRATCH],
            "pretrained": ndcg[TUNED],
            "lift": lift,
        }


def _probe_all(stage: StageRun[StudySettings], base: TrainingSettings) -> dict[str, dict[str, Any]]:
    """Genres and the like from item vectors, attributes of users from user vectors, for three kinds of towers."""
    device, data = prepare_machine(base.machine), read_training_data(stage.run / "pairs")
    for name, start in (("random", None), ("pretrained", _pretrained(stage))):
        untrained = build_trainer(base, data, device=device, start=start)
        _write_vectors(stage, untrained, name)
    supervised = f"supervised-{_key(stage, base)[:12]}"
    if not (stage.folder / "arms" / f"{supervised}-users.npy").is_file():
        _write_vectors(stage, _supervised(stage, base), supervised)
    arms = {"random": "random", "pretrained": "pretrained", "supervised": supervised}
    found: dict[str, dict[str, Any]] = {}
    for side, id_column in (("items", ITEM_ID), ("users", USER_ID)):
        for column, labels in _labels(stage.run, side, id_column):
            for name, arm in arms.items():
                vectors = read_array(stage.folder / "arms" / f"{arm}-{side}.npy")
                known = np.array([bool(own) for own in labels])
                areas = probe(np.array(vectors[known]), [own for own in labels if own], seed=0)
                values = found.setdefault(f"{side}: {column}", {"macro": {}, "labels": {}})
                values["macro"][name], values["labels"][name] = macro(areas), areas
    return {what: values for what, values in found.items() if values["macro"]["random"] is not None}


def _supervised(stage: StageRun[StudySettings], base: TrainingSettings) -> Trainer:
    """Trained with the targets of all users, for the probes alone, where the shares do not hold that anyway."""
    trainer = _build(stage, base, share=1.0, seed=stage.settings.seeds[0], is_pretrained=False)
    list(trainer.fit())
    return trainer


def _write_vectors(stage: StageRun[StudySettings], trainer: Trainer, name: str) -> None:
    where: dict[str, Any] = {"device": trainer.device, "dtype": trainer.dtype}
    everybody = np.arange(trainer.histories.n_users)
    users = embed_users(trainer.model, trainer.histories, everybody, held_out="validation", batch_tokens=_BATCH_TOKENS, **where)
    write_array(stage.folder / "arms" / f"{name}-items.npy", embed_items(trainer.model, **where))
    write_array(stage.folder / "arms" / f"{name}-users.npy", users)  # last: it says that both are there


def _labels(run: Path, side: str, id_column: str) -> Iterator[tuple[str, list[list[str]]]]:
    """Each category column, and of users each text and number column too, as labels of the rows of the vocabulary."""
    ids = read_vocabulary(run / "pairs" / f"{side}.parquet", id_column=id_column).ids
    table = pl.read_parquet(run / "ingest" / f"{side}.parquet")
    rows = pl.DataFrame({id_column: ids}).join(table, on=id_column, how="left", maintain_order="left")
    for column in category_columns(rows):
        yield column, [list(own) if own is not None else [] for own in rows[column].to_list()]
    if side == "users":
        for column, dtype in rows.schema.items():
            if column != id_column and column not in category_columns(rows) and rows[column].n_unique() <= 64:
                shown = rows[column].cast(pl.Int64) if dtype.is_float() else rows[column]
                yield column, [[] if value is None else [str(value)] for value in shown.to_list()]


def _protocol(stage: StageRun[StudySettings]) -> list[str]:
    settings, pairs, split = stage.settings, stage.facts_of("pairs", PairsFacts), stage.facts_of("split", SplitFacts)
    reads_time = stage.settings_of("train")["use_time"]
    counts = {"item": pairs.n_item_categories, "user": pairs.n_user_categories}
    inputs = ", ".join(f"{count:,} {side} categories" for side, count in counts.items() if count)
    return [
        f"Labels: the users of a share, drawn by seed {', '.join(map(str, settings.seeds))}, have training targets; "
        "pre-training sees the histories of all users",
        f"Training: smaller shares go over their data up to {settings.longest} times as often; the epoch is chosen on the "
        "validation events of the same users, labelled or not, for both",
        f"Split: {split.protocol}: {state_split(split)}",
        f"Ties: {state_ties(stage.facts_of('ingest', IngestFacts))}",
        f"Request time: {state_request_time(pairs, split, reads_times=reads_time)}",
        "Test: NDCG@10 of each user's test event over the whole catalogue, seen items removed",
        "Probes: logistic regression, 5 folds, area under the ROC curve, mean over labels of at least 25 things",
        f"Inputs: the towers read {inputs or 'no attributes'}; what they read can be read off them",
    ]


def _show(rows: list[dict[str, Any]], probes: dict[str, dict[str, Any]]) -> None:
    table = Table("users with targets", "", SCRATCH, TUNED, "lift", title="NDCG@10 on test", title_justify="left")
    for row in rows:
        lift = "" if row["lift"] is None else f"{row['lift']:+.1%}"
        table.add_row(
            f"{row['share']:.0%}", f"{row['n_labelled']:,}", f"{row['scratch']:.4f}", f"{row['pretrained']:.4f}", lift
        )
    console.print(table)
    if not probes:
        console.print("no attribute has a label that 25 things have and 25 lack: there is nothing to read off the vectors")
        return
    areas = Table("read off", "random", "pre-trained", "supervised", title="Linear probes, macro AUROC", title_justify="left")
    for name, values in probes.items():
        areas.add_row(name, *(f"{values['macro'][kind]:.3f}" for kind in ("random", "pretrained", "supervised")))
    console.print(areas)


STAGE = Stage(name="study", read=StudySettings.model_validate, work=work, keep="arms")

if __name__ == "__main__":
    STAGE.main()
