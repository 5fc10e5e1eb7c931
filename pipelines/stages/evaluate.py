"""evaluate: candidate tables against test: `metrics.json`, `comparisons.json`, `embedding_health.json`, `report.html`."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.settings.evaluate import EvaluateSettings
from pipelines.stages.stage import Stage, StageRun
from recsys.baselines.train_matrix import build_baseline_data
from recsys.core.columns import COUNT, ITEM_ID, USER_ID
from recsys.core.files import read_json, write_json
from recsys.data.schema import CANDIDATES, INTERACTIONS, check_table
from recsys.evaluation.cold_items import ColdEvaluation, evaluate_cold_items
from recsys.evaluation.comparison import Comparison, compare_to_baselines, is_proved, state_verdict
from recsys.evaluation.health import assess_embeddings, health_figures
from recsys.evaluation.judgements import Judgements, build_judgements
from recsys.evaluation.report import HealthSection, write_report
from recsys.evaluation.score import Scored, score_candidates
from recsys.evaluation.segments import COLD, WARM, judge_part, segment_rows
from recsys.evaluation.table import metric_rows

MODEL = "two-tower"


def work(stage: StageRun[EvaluateSettings]) -> None:
    """Score the model and every baseline the same way, with intervals, and say who wins."""
    index, settings = stage.read("index"), stage.settings
    retrieve, baselines = stage.read("retrieve"), stage.read("baselines")
    train, validation, test = _read_parts(stage)
    judgements = build_judgements(train, validation, test)
    catalogue = train.group_by(ITEM_ID).len(name=COUNT).sort(ITEM_ID)
    tables = {MODEL: retrieve / "candidates.parquet"}
    tables |= {path.stem.replace("_", "-"): path for path in sorted(baselines.glob("*.parquet"))}
    models = {name: _score(path, judgements, catalogue, settings, name) for name, path in tables.items()}
    rows = metric_rows(models, n_items=catalogue.height, ks=settings.ks, n_resamples=settings.n_resamples, seed=settings.seed)
    metric = f"ndcg@{min(settings.ks)}"
    others = {name: scored for name, scored in models.items() if name != MODEL}
    comparisons = compare_to_baselines(
        models[MODEL], others, metric=metric, n_resamples=settings.n_resamples, seed=settings.seed
    )
    segments, cold = _segments(stage, tables, models, judgements, catalogue, parts=(train, validation))
    health, section = assess_embeddings(
        ingest=stage.read("ingest"), pairs=stage.read("pairs"), embed=stage.read("embed"), test=test, seed=settings.seed
    )
    verdict, proved = _judge(stage, comparisons, section)
    headline = headline_metrics(settings.ks)
    protocol = _protocol(stage, judgements, n_items=catalogue.height)
    if cold is not None:
        protocol.append(f"Cold items: {cold.in_words()}")
    write_json(stage.folder / "metrics.json", rows)
    write_json(stage.folder / "segments.json", segments)
    write_json(stage.folder / "embedding_health.json", health_figures(health))
    compared = [asdict(row) | {"is_beaten": row.is_beaten} for row in comparisons]
    write_json(
        stage.folder / "comparisons.json", {"verdict": verdict, "is_proved": proved, "metric": metric, "baselines": compared}
    )
    write_report(
        stage.folder / "report.html",
        name=stage.run.name,
        model=MODEL,
        verdict=verdict,
        is_good=proved,
        rows=rows,
        comparisons=comparisons,
        models=models,
        item_counts=catalogue[COUNT].to_numpy().astype(np.int64),
        ceiling=judgements.ceiling,
        headline=headline,
        k=min(settings.ks),
        protocol=protocol,
        index=read_json(index / "index.json"),
        index_curve=read_json(index / "curve.json") if (index / "curve.json").is_file() else [],
        health=section,
        segments=segments,
    )
    stage.facts |= {"verdict": verdict, "headline": headline, "protocol": protocol, "model": MODEL}
    stage.say(verdict)


def _judge(stage: StageRun[EvaluateSettings], comparisons: list[Comparison], health: HealthSection) -> tuple[str, bool]:
    """The verdict for people, and whether the model is proved better: not where its lists or vectors are of another kind."""
    left_out = [name.replace("_", "-") for name in stage.facts_of("baselines")["skipped"]]
    verdict, proved = state_verdict(MODEL, comparisons, left_out=left_out), is_proved(comparisons, left_out=left_out)
    if stage.facts_of("retrieve")["is_filtered"]:
        proved = False
        verdict = f"Nothing is proved: filters hold for the lists of {MODEL} alone, the baselines are free of them. {verdict}"
    if not health.is_sound:
        proved = False
        verdict = f"{health.verdict} {verdict}"
    return verdict, proved


def _read_parts(stage: StageRun[EvaluateSettings]) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Train, validation and test; of the test only the users that lists were asked for."""
    split, retrieve = stage.read("split"), stage.read("retrieve")
    train, validation, test = (pl.read_parquet(split / f"{name}.parquet") for name in ("train", "validation", "test"))
    for part in (train, validation, test):
        check_table(part, INTERACTIONS, name="split")
    if stage.facts_of("retrieve")["is_part_of_users"]:
        listed = pl.scan_parquet(retrieve / "candidates.parquet").select(USER_ID).unique().collect()
        test = test.join(listed, on=USER_ID, how="semi")
    return train, validation, test


def _segments(
    stage: StageRun[EvaluateSettings],
    tables: dict[str, Path],
    models: dict[str, Scored],
    judgements: Judgements,
    catalogue: pl.DataFrame,
    *,
    parts: tuple[pl.DataFrame, pl.DataFrame],
) -> tuple[list[dict[str, Any]], ColdEvaluation | None]:
    """Warm and cold items apart, of all models; and, where cold items have vectors, what these are worth."""
    settings, rows = stage.settings, list[dict[str, Any]]()
    metrics = [f"{metric}@{k}" for metric in ("recall", "ndcg") for k in settings.ks]

    def add(segment: str, models: Mapping[str, Mapping[str, NDArray[np.float64]]]) -> None:
        rows.extend(segment_rows(segment, models, n_resamples=settings.n_resamples, seed=settings.seed))

    unknown = judge_part(judgements, catalogue[ITEM_ID], is_cold=True)
    parts_of = {WARM: judge_part(judgements, catalogue[ITEM_ID], is_cold=False), COLD: unknown}
    for name, part in parts_of.items():
        if part.pairs.height:
            is_all = part.pairs.height == judgements.pairs.height
            scored = {m: models[m] if is_all else _score(path, part, catalogue, settings, m) for m, path in tables.items()}
            add(name, {m: {metric: found.per_user[metric] for metric in metrics} for m, found in scored.items()})
    cold = None
    if unknown.pairs.height and (stage.read("embed") / "cold_items.parquet").is_file():
        data, ks, seed = build_baseline_data(*parts), settings.ks, settings.seed
        cold = evaluate_cold_items(run=stage.run, judgements=unknown, data=data, ks=ks, model=MODEL, seed=seed)
    for name, figures in ({} if cold is None else cold.segments).items():
        add(name, figures)
    return rows, cold


def headline_metrics(ks: list[int]) -> list[str]:
    """The four figures of every table: hits and gain at the shortest list, recall at the longest, coverage at the shortest."""
    return [f"hr@{min(ks)}", f"ndcg@{min(ks)}", f"recall@{max(ks)}", f"coverage@{min(ks)}"]


def _score(path: Path, judgements: Judgements, catalogue: pl.DataFrame, settings: EvaluateSettings, name: str) -> Scored:
    table = pl.scan_parquet(path)
    check_table(table, CANDIDATES, name=name)
    return score_candidates(table, judgements, catalogue, ks=settings.ks, name=name)


def _protocol(stage: StageRun[EvaluateSettings], judgements: Judgements, *, n_items: int) -> list[str]:
    """What was done, line by line, each with its label before the first colon."""
    split, retrieve = stage.facts_of("split"), stage.facts_of("retrieve")
    n_new = split.get("n_test_rows_of_new_users", 0)
    without = f"; {n_new:,} test events of users without an event before it are left out" if n_new else ""
    n_relevant, n_new_items = judgements.pairs.height, retrieve["n_added_items"]
    beside = f"; the model also ranks {n_new_items:,} items without one, by texts or as added" if n_new_items else ""
    known = "; those that the model ranks by their texts can be found by it" if n_new_items else ""
    return [
        f"Split: {split['protocol']}: {split['rule']}{without}",
        f"Trained on: {split['n_train']:,} events: {split['trained_on']}",
        f"Relevant: {n_relevant:,} test events of known users that are new to them ({judgements.n_repeats:,} repeats left out)",
        f"Catalogue: ranked whole: {n_items:,} items, those with an event in train{beside}",
        f"Missing targets: {judgements.n_missing:,} of {n_relevant:,} relevant items are not in the catalogue and count as "
        f"misses (ceiling of recall {judgements.ceiling:.4f}){known}",
        f"Seen: {retrieve['seen']}",
        f"Lists: {_describe_lists(retrieve)}",
        f"Index: {stage.facts_of('index')['backend']}: {stage.facts_of('index')['why']}",
        f"Ties: {split['ties']}",
        f"Request time: {retrieve['request_time']}",
        f"Epoch: {retrieve['epoch']}; test items are read by this stage only",
        "Weights: every event counts the same; weight and event columns are kept and not used",
        "Baselines: fitted on train, scored with the same histories and seen items as the model",
    ]


def _describe_lists(retrieve: dict[str, Any]) -> str:
    """How the judged lists came about: whose, from which sources, under which filters."""
    only = "; only they are judged" if retrieve["is_part_of_users"] else ""
    text = f"{retrieve['n_users']:,} users{only}, from {', '.join(retrieve['sources'])}"
    if retrieve["is_filtered"]:
        text += f"; filtered, {retrieve['n_allowed_items']:,} items allowed: what the filters remove cannot be found"
    return text + (f"; {retrieve['n_short_lists']:,} lists stay short" if retrieve["n_short_lists"] else "")


STAGE = Stage(name="evaluate", read=EvaluateSettings.model_validate, work=work)

if __name__ == "__main__":
    STAGE.main()
