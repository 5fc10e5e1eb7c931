"""evaluate: candidate tables against test: `metrics.json`, `comparisons.json`, `embedding_health.json`, `report.html`."""

from collections.abc import Mapping
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
from recsys.core.files import read_json, write_json
from recsys.data.facts import IngestFacts
from recsys.data.schema import INTERACTIONS, check_table
from recsys.evaluation.cold_items import ColdEvaluation, evaluate_cold_items
from recsys.evaluation.comparison import (
    advise,
    is_proved,
    is_safe,
    state_artefacts,
    state_verdict,
)
from recsys.evaluation.facts import EvaluateFacts
from recsys.evaluation.health import assess_embeddings, health_figures
from recsys.evaluation.judgements import Judgements, build_judgements
from recsys.evaluation.protocol import RunFacts, state_protocol
from recsys.evaluation.report import HealthSection, write_report
from recsys.evaluation.scope import TOWERS, ScopeScores, score_scope
from recsys.evaluation.score import score_table
from recsys.evaluation.segments import COLD, WARM, judge_part, segment_rows
from recsys.features.facts import PairsFacts
from recsys.index.facts import IndexFacts
from recsys.inference.facts import EmbedFacts
from recsys.models.facts import TrainFacts
from recsys.splits.facts import SCOPES, Scope, SplitFacts

FUSION = "fusion"
METRICS = {"first": "metrics.json", "all": "metrics_with_repeats.json", "new": "metrics_of_new_items.json"}


def work(stage: StageRun[EvaluateSettings]) -> EvaluateFacts:
    """Score the model and every baseline the same way, with intervals, and say who wins."""
    index, settings, facts = stage.read("index"), stage.settings, _facts(stage)
    train, validation, test = _read_parts(stage, is_part_of_users=facts.retrieve.is_part_of_users)
    catalogue = train.group_by(ITEM_ID).len(name=COUNT).sort(ITEM_ID)
    of_baselines = stage.facts_of("baselines", BaselinesFacts)
    scopes = [facts.retrieve.scope, *(s for s in facts.split.judged(settings.repeats) if s != facts.retrieve.scope)]
    judgements = {scope: build_judgements(train, validation, test, has_repeats=scope == "all") for scope in scopes}
    # Of some users of a file all may be repeats.
    scopes = [scope for scope in scopes if judgements[scope].pairs.height] or scopes[:1]
    model = TOWERS if facts.retrieve.sources == [TWO_TOWER] else FUSION
    scored = [
        _score_scope(
            stage, facts.retrieve, judgements[scope], catalogue, scope=scope, model=model, artefacts=of_baselines.artefacts
        )
        for scope in scopes
    ]
    first = scored[0]
    segments, cold = _segments(stage, first, catalogue, parts=(train, validation))
    health, section = assess_embeddings(
        ingest=stage.read("ingest"), pairs=stage.read("pairs"), embed=stage.read("embed"), test=test, seed=settings.seed
    )
    left_out = [_label(name) for name in of_baselines.skipped]
    verdict = state_verdict(model, first.rivals, left_out=left_out)
    if len(scored) > 1:
        other = state_verdict(model, scored[1].rivals)
        if scored[1].artefacts and not first.artefacts:
            other = f"{state_artefacts(scored[1].artefacts)} {other}"
        what = "With what users took before" if scored[1].scope == "all" else "Of what is new to them alone"
        verdict = f"{verdict} {what}: {other}"
    passes = is_safe if model == FUSION else is_proved
    proved = passes(first.rivals, artefacts=first.artefacts)
    verdict, proved = _hold_back(verdict, proved, model=model, scope=first.scope, health=section, retrieved=facts.retrieve)
    if first.artefacts:
        verdict = f"{state_artefacts(first.artefacts)} {verdict}"
    advice = advise(first.rivals, artefacts=first.artefacts, is_proved=proved, is_fused=model == FUSION)
    headline, metric = headline_metrics(settings.ks), f"ndcg@{min(settings.ks)}"
    protocol = state_protocol(facts, first.judgements, of_baselines, n_items=catalogue.height)
    if cold is not None:
        protocol.append(f"Cold items: {cold.in_words()}")
    for each in scored:
        write_json(stage.folder / METRICS[each.scope if each is not first else "first"], each.rows)
    write_json(stage.folder / "segments.json", segments)
    write_json(stage.folder / "embedding_health.json", health_figures(health))
    compared = {"advice": advice, "verdict": verdict, "is_proved": proved, "metric": metric} | first.as_table()
    write_json(stage.folder / "comparisons.json", compared | {"others": [each.as_table() for each in scored[1:]]})
    write_report(
        stage.folder / "report.html",
        name=stage.run.name,
        model=model,
        advice=advice,
        verdict=verdict,
        is_good=proved,
        rows=first.rows,
        others={SCOPES[each.scope]: each.rows for each in scored[1:]},
        sources=_sources(facts.retrieve),
        comparisons=first.comparisons,
        models=first.models,
        item_counts=catalogue[COUNT].to_numpy().astype(np.int64),
        ceiling=first.judgements.ceiling,
        headline=headline,
        k=min(settings.ks),
        protocol=protocol,
        index=facts.index,
        index_curve=read_json(index / "curve.json") if (index / "curve.json").is_file() else [],
        health=section,
        segments=segments,
    )
    stage.say(f"{advice} {verdict}")
    return EvaluateFacts(advice=advice, verdict=verdict, headline=headline, protocol=protocol, model=model, scopes=list(scopes))


def _score_scope(
    stage: StageRun[EvaluateSettings],
    retrieved: RetrieveFacts,
    judgements: Judgements,
    catalogue: pl.DataFrame,
    *,
    scope: Scope,
    model: str,
    artefacts: list[str],
) -> ScopeScores:
    """Judge the lists of all models, and compare them."""
    settings = stage.settings
    baselines = stage.read("baselines") / ("repeats" if scope == "all" else "")
    lists = stage.read("retrieve") / ("" if scope == retrieved.scope else scope)
    tables, towers = {model: lists / "candidates.parquet"}, lists / "towers" / "candidates.parquet"
    if towers.is_file() or TWO_TOWER in retrieved.weights[scope]:
        tables[TOWERS] = towers if towers.is_file() else tables[model]
    tables |= {_label(path.stem): path for path in sorted(baselines.glob("*.parquet"))}
    return score_scope(
        tables,
        judgements,
        catalogue,
        backwards={_label(name): baselines / "backwards" / f"{name}.parquet" for name in artefacts},
        scope=scope,
        model=model,
        ks=settings.ks,
        n_resamples=settings.n_resamples,
        seed=settings.seed,
    )


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


def _sources(retrieved: RetrieveFacts) -> list[dict[str, Any]]:
    """The sources of the published lists, the largest share first; nothing where no weights were learned."""
    scope = retrieved.scope
    rows = [
        {
            "name": _label(name),
            "weight": weight,
            "share": retrieved.source_shares[name],
            "alone": retrieved.validation_ndcg[scope][name],
            "adds": retrieved.adds[scope][name],
        }
        for name, weight in retrieved.weights[scope].items()
    ]
    return sorted(rows, key=lambda row: (-row["share"], row["name"]))


def _hold_back(
    verdict: str, proved: bool, *, model: str, scope: Scope, health: HealthSection, retrieved: RetrieveFacts
) -> tuple[str, bool]:
    """The verdict for people, and whether the model is proved better: not where its lists or vectors are of another kind."""
    if retrieved.is_filtered:
        proved = False
        verdict = f"Nothing is proved: filters hold for the lists of {model} alone, the baselines are free of them. {verdict}"
    if scope != retrieved.scope:
        proved = False
        verdict = f"Nothing is proved: no test event is of {SCOPES[retrieved.scope]}, which is what is published. {verdict}"
    if not health.is_sound and TWO_TOWER in retrieved.sources:
        proved = False
        verdict = f"{health.verdict} {verdict}"
    return verdict, proved


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
    stage: StageRun[EvaluateSettings], scored: ScopeScores, catalogue: pl.DataFrame, *, parts: tuple[pl.DataFrame, pl.DataFrame]
) -> tuple[list[dict[str, Any]], ColdEvaluation | None]:
    """Warm and cold items apart, of all models; and, where cold items have vectors, what these are worth."""
    settings, rows, judgements = stage.settings, list[dict[str, Any]](), scored.judgements
    metrics = [f"{metric}@{k}" for metric in ("recall", "ndcg") for k in settings.ks]

    def add(segment: str, models: Mapping[str, Mapping[str, NDArray[np.float64]]]) -> None:
        rows.extend(segment_rows(segment, models, n_resamples=settings.n_resamples, seed=settings.seed))

    unknown = judge_part(judgements, catalogue[ITEM_ID], is_cold=True)
    parts_of = {WARM: judge_part(judgements, catalogue[ITEM_ID], is_cold=False), COLD: unknown}
    for name, part in parts_of.items():
        if part.pairs.height:
            is_all = part.pairs.height == judgements.pairs.height
            found = {
                model: own if is_all else score_table(scored.tables[model], part, catalogue, ks=settings.ks, name=model)
                for model, own in scored.models.items()
            }
            add(name, {model: {metric: own.per_user[metric] for metric in metrics} for model, own in found.items()})
    cold = None
    if unknown.pairs.height and (stage.read("embed") / "cold_items.parquet").is_file():
        data, ks, seed = build_baseline_data(*parts), settings.ks, settings.seed
        cold = evaluate_cold_items(run=stage.run, judgements=unknown, data=data, ks=ks, model=TOWERS, seed=seed)
    for name, figures in ({} if cold is None else cold.segments).items():
        add(name, figures)
    return rows, cold


def headline_metrics(ks: list[int]) -> list[str]:
    """The four figures of every table: hits and gain at the shortest list, recall at the longest, coverage at the shortest."""
    return [f"hr@{min(ks)}", f"ndcg@{min(ks)}", f"recall@{max(ks)}", f"coverage@{min(ks)}"]


STAGE = Stage(name="evaluate", read=EvaluateSettings.model_validate, work=work)

if __name__ == "__main__":
    STAGE.main()
