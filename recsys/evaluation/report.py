"""`report.html`: one self-contained page, verdict first."""

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
    draw_metric_bars,
    draw_recall_curves,
)
from recsys.evaluation.comparison import Comparison
from recsys.evaluation.score import Scored, list_counts
from recsys.index.facts import IndexFacts

_TENTHS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthSection:
    """What the page says of the embeddings.

    Attributes:
        verdict: Sound, or what is wrong.
        is_sound: Whether nothing is wrong.
        lines: Figures in words, each `label: text`.
        pictures: As SVG text.
    """

    verdict: str
    is_sound: bool
    lines: Sequence[str]
    pictures: Sequence[str]


def write_report(
    path: Path,
    *,
    name: str,
    model: str,
    advice: str,
    verdict: str,
    is_good: bool,
    rows: Sequence[Mapping[str, Any]],
    others: Mapping[str, Sequence[Mapping[str, Any]]],
    sources: Sequence[Mapping[str, Any]],
    comparisons: Sequence[Comparison],
    models: Mapping[str, Scored],
    item_counts: NDArray[np.int64],
    ceiling: float,
    headline: Sequence[str],
    k: int,
    protocol: Sequence[str],
    index: IndexFacts,
    index_curve: Sequence[Mapping[str, Any]],
    health: HealthSection,
    segments: Sequence[Mapping[str, Any]],
) -> None:
    """Draw the page and write it, atomically. Every text is escaped.

    Args:
        path: The page.
        name: Title.
        model: Which of `models` is ours.
        verdict: The first line.
        advice: What to do, the first text of the page.
        is_good: Whether it is good news.
        rows: All figures, the best model first.
        others: The same for what else was judged, by what that is.
        sources: Of each source of the lists, its name, weight, share, and on validation what it is worth alone and adds.
        comparisons: The model against each baseline.
        models: Results by name.
        item_counts: Shape (I,), train events of each item.
        ceiling: The best recall any ranker could reach.
        headline: The metrics of table and bars.
        k: The first k ranks count as exposure.
        protocol: What was done, line by line, each `label: text`.
        index: The index that the lists come from.
        index_curve: What was measured to choose the index, point by point; none for exact search.
        health: Of the embeddings.
        segments: Rows by segment, model and metric; those of one segment stand together.
    """
    environment = Environment(loader=PackageLoader("recsys.evaluation", "."), autoescape=True)
    page = environment.get_template("report.html.j2").render(
        name=name,
        model=model,
        advice=advice,
        verdict=verdict,
        is_good=is_good,
        n_users=rows[0]["n_users"],
        n_items=len(item_counts),
        headline=headline,
        results=_results(rows, headline),
        others={what: _results(each, headline) for what, each in others.items()},
        sources=sources,
        rows=rows,
        bars=draw_metric_bars(rows, model=model, metrics=headline),
        differences=draw_differences(comparisons) if comparisons else "",
        recall=draw_recall_curves({n: _recall_curve(s) for n, s in models.items()}, model=model, ceiling=ceiling),
        exposure=draw_exposure({n: _exposure(s, item_counts, k) for n, s in models.items() if n != "random"}, model=model),
        protocol=protocol,
        index=index,
        health=health,
        segments=_segments(segments),
        curve=draw_index_curve(index_curve, target=index.target_recall, chosen=as_table(index)) if index_curve else "",
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


def _recall_curve(scored: Scored) -> NDArray[np.float64]:
    return np.asarray((scored.hits.cumsum(1) / scored.n_relevant[:, None]).mean(0), np.float64)


def _exposure(scored: Scored, item_counts: NDArray[np.int64], k: int) -> NDArray[np.float64]:
    counts = list_counts(scored.item_idx, n_items=len(item_counts), k=k)
    by_popularity = counts[np.argsort(item_counts, kind="stable")]
    tenths = np.array([part.sum() for part in np.array_split(by_popularity, _TENTHS)], np.float64)
    return np.asarray(tenths / max(tenths.sum(), 1), np.float64)
