"""evaluate: candidate tables against test: `metrics.json`, `comparisons.json`, `embedding_health.json`, `report.html`."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.settings.evaluate import EvaluateSettings
from pipelines.stages.stage import Stage, StageRun
from recsys.baselines.facts import BaselinesFacts
from recsys.baselines.train_matrix import build_baseline_data
from recsys.candidates.facts import RetrieveFacts
from recsys.candidates.sources.choice import TWO_TOWER
from recsys.core.columns import COUNT, ITEM_ID, USER_ID
from recsys.core.files import MANIFEST, read_json, write_json
from recsys.data.facts import IngestFacts
from recsys.data.schema import INTERACTIONS, check_table
from recsys.evaluation.background import build_background
from recsys.evaluation.cold_items import ColdEvaluation, evaluate_cold_items
from recsys.evaluation.examples import choose_items, choose_users
from recsys.evaluation.facts import EvaluateFacts
from recsys.evaluation.group_scores import score_groups
from recsys.evaluation.groups import check_columns, item_groups, user_groups
from recsys.evaluation.health import assess_embeddings, health_figures
from recsys.evaluation.judgements import build_judgements
from recsys.evaluation.log_description import describe_log
from recsys.evaluation.protocol import RunFacts, state_protocol
from recsys.evaluation.report import Report, write_report
from recsys.evaluation.scope import FUSION, TOWERS, ScopeScores, score_scope
from recsys.evaluation.score import score_table
from recsys.evaluation.segments import COLD, WARM, judge_part, segment_rows
from recsys.evaluation.table import headline_metrics
from recsys.evaluation.verdict import decide
from recsys.features.facts import PairsFacts
from recsys.index.facts import IndexFacts
from recsys.inference.facts import EmbedFacts
from recsys.models.facts import TrainFacts
from recsys.splits.facts import Scope, SplitFacts

_N_EXAMPLES = 10
METRICS = {"first": "metrics.json", "all": "metrics_with_repeats.json", "new": "metrics_of_new_items.json"}


def work(stage: StageRun[EvaluateSettings]) -> EvaluateFacts:
    """Score the model and every baseline the same way, with intervals, and say who wins."""
    index, settings, facts = stage.read("index"), stage.settings, _facts(stage)
    items, users = _attributes(stage, "items"), _attributes(stage, "users")
    check_columns(settings.segments, [items, users])
    train, validation, test = _read_parts(stage, is_part_of_users=facts.retrieve.is_part_of_users)
    before, catalogue = pl.concat([train, validation]), train.group_by(ITEM_ID).len(name=COUNT).sort(ITEM_ID)
    of_baselines = stage.facts_of("baselines", BaselinesFacts)
    ks = settings.lengths(longest=min(facts.retrieve.k, of_baselines.k))
    scopes = [facts.retrieve.scope, *(s for s in facts.split.judged(settings.repeats) if s != facts.retrieve.scope)]
    judgements = {
        scope: build_judgements(
            train, validation, test, has_repeats=scope == "all", most_users=settings.most_users, seed=settings.seed
        )
        for scope in scopes
    }
    # Of some users of a file all may be repeats.
    scopes = [scope for scope in scopes if judgements[scope].pairs.height] or scopes[:1]
    model = TOWERS if facts.retrieve.sources == [TWO_TOWER] else FUSION
    background = build_background(before, catalogue, items)
    resampling = {"n_resamples": settings.n_resamples, "seed": settings.seed}
    scored = [
        score_scope(
            _tables(stage, facts.retrieve, scope=scope, model=model),
            judgements[scope],
            catalogue,
            backwards={
                _label(name): _baselines(stage, scope) / "backwards" / f"{name}.parquet" for name in of_baselines.artefacts
            },
            scope=scope,
            model=model,
            k=settings.k,
            ks=ks,
            background=background,
            **resampling,
        )
        for scope in scopes
    ]
    first = scored[0]
    segments, cold = _segments(stage, first, catalogue, parts=(train, validation), ks=ks)
    judged = first.judgements.n_relevant[USER_ID]
    groups, falls = score_groups(
        first,
        user_groups(judged, before, users, columns=settings.segments, has_time=facts.ingest.has_time)
        + item_groups(catalogue, items, columns=settings.segments),
        catalogue,
        k=settings.k,
        ks=ks,
        largest_fall=settings.largest_fall,
        **resampling,
    )
    health, section = assess_embeddings(
        ingest=stage.read("ingest"), pairs=stage.read("pairs"), embed=stage.read("embed"), test=test, seed=settings.seed
    )
    verdict = decide(
        scored, health=section, falls=falls, retrieved=facts.retrieve, left_out=[_label(name) for name in of_baselines.skipped]
    )
    protocol = state_protocol(facts, first.judgements, of_baselines, n_items=catalogue.height, kind=background.kind)
    if cold is not None:
        protocol.append(f"Cold items: {cold.in_words()}")
    for each in scored:
        write_json(stage.folder / METRICS[each.scope if each is not first else "first"], each.rows)
    write_json(stage.folder / "segments.json", segments + groups)
    write_json(stage.folder / "embedding_health.json", health_figures(health))
    compared = {
        "advice": verdict.advice,
        "verdict": verdict.text,
        "is_proved": verdict.is_proved,
        "metric": f"ndcg@{settings.k}",
    }
    compared |= first.as_table() | {"falls": [asdict(fall) for fall in falls]}
    write_json(stage.folder / "comparisons.json", compared | {"others": [each.as_table() for each in scored[1:]]})
    report = Report(
        name=stage.run.name,
        verdict=verdict,
        version=metadata.version("contrastive-recsys"),
        made_at=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        scores=scored,
        item_counts=catalogue[COUNT].to_numpy().astype(np.int64),
        headline=headline_metrics(settings.k, ks),
        k=settings.k,
        data=describe_log(pl.read_parquet(stage.read("ingest") / "interactions.parquet"), has_time=facts.ingest.has_time),
        protocol=protocol,
        sources=facts.retrieve.source_rows(),
        epochs=pl.read_parquet(stage.read("train") / "epochs.parquet").to_dicts(),
        segments=segments,
        groups=groups,
        users=choose_users(
            stage.read("retrieve") / ("" if first.scope == facts.retrieve.scope else first.scope) / "candidates.parquet",
            before,
            first.judgements.pairs,
            items,
            n=_N_EXAMPLES,
            seed=settings.seed,
        ),
        items=choose_items(stage.read("retrieve") / "similar.parquet", catalogue, items, n=_N_EXAMPLES, seed=settings.seed),
        index=facts.index,
        index_curve=read_json(index / "curve.json") if (index / "curve.json").is_file() else [],
        health=section,
        settings={name: read_json(stage.read(name) / MANIFEST)["config"] for name in stage.inputs}
        | {stage.name: settings.model_dump()},
    )
    write_report(stage.folder / "report.html", report)
    stage.say(f"{verdict.advice} {verdict.text}")
    return EvaluateFacts(
        advice=verdict.advice,
        verdict=verdict.text,
        headline=list(report.headline),
        protocol=protocol,
        model=model,
        scopes=scopes,
    )


def _tables(stage: StageRun[EvaluateSettings], retrieved: RetrieveFacts, *, scope: Scope, model: str) -> dict[str, Path]:
    """The candidate table of each model, ours first."""
    lists = stage.read("retrieve") / ("" if scope == retrieved.scope else scope)
    tables, towers = {model: lists / "candidates.parquet"}, lists / "towers" / "candidates.parquet"
    if towers.is_file() or TWO_TOWER in retrieved.weights[scope]:
        tables[TOWERS] = towers if towers.is_file() else tables[model]
    return tables | {_label(path.stem): path for path in sorted(_baselines(stage, scope).glob("*.parquet"))}


def _baselines(stage: StageRun[EvaluateSettings], scope: Scope) -> Path:
    return stage.read("baselines") / ("repeats" if scope == "all" else "")


def _attributes(stage: StageRun[EvaluateSettings], name: str) -> pl.DataFrame | None:
    """What is known of items or users beyond the log."""
    path = stage.read("ingest") / f"{name}.parquet"
    return pl.read_parquet(path) if path.is_file() else None


def _facts(stage: StageRun[EvaluateSettings]) -> RunFacts:
    return RunFacts(
        ingest=stage.facts_of("ingest", IngestFacts),
        split=stage.facts_of("split", SplitFacts),
        pairs=stage.facts_of("pairs", PairsFacts),
        train=stage.facts_of("train", TrainFacts),
        embed=stage.facts_of("embed", EmbedFacts),
        index=stage.facts_of("index", IndexFacts),
        retrieve=stage.facts_of("retrieve", RetrieveFacts),
    )


def _label(name: str) -> str:
    return name.replace("_", "-")


def _read_parts(
    stage: StageRun[EvaluateSettings], *, is_part_of_users: bool
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Train, validation and test; of the test only the users that lists were asked for."""
    split, retrieve = stage.read("split"), stage.read("retrieve")
    train, validation, test = (pl.read_parquet(split / f"{name}.parquet") for name in ("train", "validation", "test"))
    for part in (train, validation, test):
        check_table(part, INTERACTIONS, name="split")
    if is_part_of_users:
        listed = pl.scan_parquet(retrieve / "candidates.parquet").select(USER_ID).unique().collect()
        test = test.join(listed, on=USER_ID, how="semi")
    return train, validation, test


def _segments(
    stage: StageRun[EvaluateSettings],
    scored: ScopeScores,
    catalogue: pl.DataFrame,
    *,
    parts: tuple[pl.DataFrame, pl.DataFrame],
    ks: list[int],
) -> tuple[list[dict[str, Any]], ColdEvaluation | None]:
    """Warm and cold items apart, of all models; and, where cold items have vectors, what these are worth."""
    settings, rows, judgements = stage.settings, list[dict[str, Any]](), scored.judgements
    metrics = [f"{metric}@{k}" for metric in ("recall", "ndcg") for k in ks]

    def add(segment: str, models: Mapping[str, Mapping[str, NDArray[np.float64]]]) -> None:
        rows.extend(segment_rows(segment, models, n_resamples=settings.n_resamples, seed=settings.seed))

    unknown = judge_part(judgements, catalogue[ITEM_ID], is_cold=True)
    parts_of = {WARM: judge_part(judgements, catalogue[ITEM_ID], is_cold=False), COLD: unknown}
    for name, part in parts_of.items():
        if part.pairs.height:
            is_all = part.pairs.height == judgements.pairs.height
            found = {
                model: own if is_all else score_table(scored.tables[model], part, catalogue, ks=ks, name=model)
                for model, own in scored.models.items()
            }
            add(name, {model: {metric: own.per_user[metric] for metric in metrics} for model, own in found.items()})
    cold = None
    if unknown.pairs.height and (stage.read("embed") / "cold_items.parquet").is_file():
        data, seed = build_baseline_data(*parts), settings.seed
        cold = evaluate_cold_items(run=stage.run, judgements=unknown, data=data, ks=ks, model=TOWERS, seed=seed)
    for name, figures in ({} if cold is None else cold.segments).items():
        add(name, figures)
    return rows, cold


STAGE = Stage(name="evaluate", read=EvaluateSettings.model_validate, work=work)

if __name__ == "__main__":
    STAGE.main()
