"""`report.html`: one self-contained page without scripts, verdict first, for those who decide and those who mend."""

import csv
import io
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader
from numpy.typing import NDArray

from recsys.core.facts import as_table
from recsys.core.files import write_atomically
from recsys.evaluation.charts import (
    draw_differences,
    draw_exposure,
    draw_index_curve,
    draw_intervals,
    draw_recall_curves,
    draw_segments,
    draw_training,
)
from recsys.evaluation.examples import ItemExample, UserExample
from recsys.evaluation.glossary import GLOSSARY, explain
from recsys.evaluation.health import HealthSection
from recsys.evaluation.scope import ScopeScores
from recsys.evaluation.score import Scored, list_counts
from recsys.evaluation.verdict import Verdict
from recsys.index.facts import IndexFacts
from recsys.splits.facts import SCOPES

_TENTHS = 10
_CHANCE = "random"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that the page shows.

    Attributes:
        name: Title.
        verdict: Its first text.
        version: Of this project.
        made_at: When the page was made, for people.
        scores: Of what was judged, the first counting for promotion.
        item_counts: Shape (I,), train events of each item.
        headline: The metrics of the tables.
        k: The list length that models are compared at.
        data: What the log holds, line by line, each `label: text`.
        protocol: What was done, likewise.
        sources: As `RetrieveFacts.source_rows` gives them.
        epochs: `epoch, loss, validation_ndcg, is_best` of the training; none if it is not known.
        segments: Rows by segment, model and metric of cold and warm items; those of one segment stand together.
        groups: The same of parts of users and of items.
        users: Some users with their lists.
        items: Some items with their neighbours.
        index: The index that the lists come from.
        index_curve: What was measured to choose the index, point by point; none for exact search.
        health: Of the embeddings.
        settings: Of each stage.
    """

    name: str
    verdict: Verdict
    version: str
    made_at: str
    scores: Sequence[ScopeScores]
    item_counts: NDArray[np.int64]
    headline: Sequence[str]
    k: int
    data: Sequence[str]
    protocol: Sequence[str]
    sources: Sequence[Mapping[str, Any]]
    epochs: Sequence[Mapping[str, Any]]
    segments: Sequence[Mapping[str, Any]]
    groups: Sequence[Mapping[str, Any]]
    users: Sequence[UserExample]
    items: Sequence[ItemExample]
    index: IndexFacts
    index_curve: Sequence[Mapping[str, Any]]
    health: HealthSection
    settings: Mapping[str, Mapping[str, Any]]


def write_report(path: Path, report: Report) -> None:
    """Draw the page and write it, atomically. Every text is escaped.

    Args:
        path: The page.
        report: What it shows.
    """
    first, metric = report.scores[0], f"ndcg@{report.k}"
    model, rows, is_good = first.model, first.rows, report.verdict.is_proved
    shown = {metric, *(name for name in report.headline if name.startswith(("hr@", "recall@"))), f"recall@{report.k}"}
    rival = first.rivals[0].baseline if first.rivals else model
    environment = Environment(loader=PackageLoader("recsys.evaluation", "."), autoescape=True)
    page = environment.get_template("report.html.j2").render(
        report=report,
        model=model,
        rival=rival,
        leads=is_good and next(row["model"] for row in rows) == model,
        n_users=rows[0]["n_users"],
        n_items=len(report.item_counts),
        explain=explain,
        glossary=GLOSSARY,
        results=_results(rows, report.headline),
        others={SCOPES[each.scope]: _results(each.rows, report.headline) for each in report.scores[1:]},
        rows=rows,
        csv=_as_csv(report.scores, [*report.segments, *report.groups]),
        intervals=draw_intervals(rows, model=model, metric=metric, is_good=is_good),
        differences=draw_differences(first.comparisons) if first.comparisons else "",
        recall=draw_recall_curves(
            {name: _recall_curve(own) for name, own in first.models.items() if name != _CHANCE},
            model=model,
            ceiling=first.judgements.ceiling,
        ),
        exposure=draw_exposure(
            {name: _exposure(own, report.item_counts, report.k) for name, own in first.models.items() if name != _CHANCE},
            model=model,
        ),
        training=draw_training(report.epochs) if report.epochs else "",
        parts=draw_segments(report.groups, metric=metric, model=model, other=rival) if report.groups else "",
        segments=_segments([row for row in report.segments if row["metric"] in shown]),
        groups=_segments([row for row in report.groups if row["model"] in (model, rival) and row["metric"] in shown]),
        curve=draw_index_curve(report.index_curve, target=report.index.target_recall, chosen=as_table(report.index))
        if report.index_curve
        else "",
    )
    with write_atomically(path) as partial:
        partial.write_text(page, encoding="utf-8")


def _results(rows: Sequence[Mapping[str, Any]], headline: Sequence[str]) -> list[dict[str, Any]]:
    found = {(row["model"], row["metric"]): row for row in rows}
    names = dict.fromkeys(row["model"] for row in rows)
    return [{"name": name, "cells": [found[name, metric] for metric in headline]} for name in names]


def _segments(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One table a segment."""
    tables = []
    for segment in dict.fromkeys(row["segment"] for row in rows):
        own = [row for row in rows if row["segment"] == segment]
        metrics = list(dict.fromkeys(row["metric"] for row in own))
        tables.append({"name": segment, "n_users": own[0]["n_users"], "metrics": metrics, "results": _results(own, metrics)})
    return tables


def _as_csv(scores: Sequence[ScopeScores], segments: Sequence[Mapping[str, Any]]) -> str:
    """All figures as the address of a file that the page itself holds."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, ["part", "model", "metric", "value", "low", "high", "n_users"], extrasaction="ignore")
    writer.writeheader()
    for each in scores:
        writer.writerows({"part": SCOPES[each.scope]} | row for row in each.rows)
    writer.writerows({"part": row["segment"]} | dict(row) for row in segments)
    return f"data:text/csv;charset=utf-8;base64,{b64encode(buffer.getvalue().encode()).decode()}"


def _recall_curve(scored: Scored) -> NDArray[np.float64]:
    return np.asarray(((1 / scored.n_relevant) @ scored.hits / len(scored.hits)).cumsum(), np.float64)


def _exposure(scored: Scored, item_counts: NDArray[np.int64], k: int) -> NDArray[np.float64]:
    counts = list_counts(scored.item_idx, n_items=len(item_counts), k=k)
    by_popularity = counts[np.argsort(item_counts, kind="stable")]
    tenths = np.array([part.sum() for part in np.array_split(by_popularity, _TENTHS)], np.float64)
    return np.asarray(tenths / max(tenths.sum(), 1), np.float64)
