"""The report's pictures, as SVG text that needs nothing from outside."""

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from recsys.evaluation.comparison import Comparison

MODEL, BASELINE, INK = "#1f4e9c", "#b4b9c0", "#20262d"
GOOD, BAD = "#0b6e6e", "#b3261e"  # as on the page; the model itself has a colour of its own
STYLE: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": "#c9ced4",
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "text.parse_math": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "recsys",
}


def draw_metric_bars(rows: Sequence[Mapping[str, Any]], *, model: str, metrics: Sequence[str]) -> str:
    """One panel a metric, one bar a model with its interval."""
    shown = [metric for metric in metrics if any(row["metric"] == metric for row in rows)]
    names = list(dict.fromkeys(row["model"] for row in rows))
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(9.4, 0.6 + 0.3 * len(names)), layout="constrained")
        panels = figure.subplots(1, len(shown), squeeze=False)[0]
        for column, (panel, metric) in enumerate(zip(panels, shown, strict=True)):
            found = {row["model"]: row for row in rows if row["metric"] == metric}
            value = np.array([found[name]["value"] for name in names])
            error = np.array([[found[n]["value"] - found[n]["low"], found[n]["high"] - found[n]["value"]] for n in names])
            colours = [MODEL if name == model else BASELINE for name in names]
            panel.barh(range(len(names)), value, xerr=error.clip(min=0).T, color=colours, ecolor=INK, capsize=2)
            panel.set_yticks(range(len(names)), names if column == 0 else [""] * len(names))
            panel.invert_yaxis()
            panel.set_title(metric.upper(), loc="left", fontsize=10, fontweight="bold")
        return as_svg(figure)


def draw_differences(comparisons: Sequence[Comparison]) -> str:
    """The model minus each baseline with its interval; right of zero is better."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(9.4, 0.9 + 0.32 * len(comparisons)), layout="constrained")
        panel = figure.subplots()
        for height, row in enumerate(comparisons):
            colour = GOOD if row.is_beaten else BAD if row.is_better else BASELINE
            panel.plot([row.difference.low, row.difference.high], [height, height], color=colour, linewidth=3)
            panel.plot(row.difference.value, height, "o", color=colour)
        panel.axvline(0, color=INK, linewidth=1)
        panel.set_yticks(range(len(comparisons)), [f"over {row.baseline}" for row in comparisons])
        panel.invert_yaxis()
        panel.set_xlabel(f"difference in {comparisons[0].metric.upper()}, paired over users, 95 % interval")
        return as_svg(figure)


def draw_recall_curves(curves: Mapping[str, NDArray[np.float64]], *, model: str, ceiling: float) -> str:
    """Mean recall against list length, one line a model, and what is the most that could be reached."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(4.6, 3.1), layout="constrained")
        panel = figure.subplots()
        for (name, curve), colour in zip(curves.items(), _colours(curves, model), strict=True):
            width = 2.4 if name == model else 1.3
            panel.plot(range(1, len(curve) + 1), curve, label=name, color=colour, linewidth=width)
        panel.axhline(ceiling, color=INK, linewidth=0.8, linestyle=":", label="ceiling (items in train)")
        panel.set_xscale("log")
        panel.xaxis.set_major_formatter("{x:g}")
        panel.set_xlabel("list length k")
        panel.set_ylabel("recall@k")
        panel.legend(frameon=False, fontsize=7)
        return as_svg(figure)


def draw_index_curve(points: Sequence[Mapping[str, Any]], *, target: float, chosen: Mapping[str, Any]) -> str:
    """Queries a second against recall, one line a build of the index, the target and the point that was chosen."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(9.4, 3.1), layout="constrained")
        panel = figure.subplots()
        builds = list(dict.fromkeys((point["backend"], point["build"]) for point in points))
        for (backend, build), grey in zip(builds, np.linspace(0.2, 0.8, len(builds)), strict=True):
            of_build = sorted(
                (point["recall"], point["queries_per_second"])
                for point in points
                if (point["backend"], point["build"]) == (backend, build)
            )
            panel.plot(*zip(*of_build, strict=True), "o-", label=f"{backend}, {build}", color=str(grey), markersize=3)
        panel.plot(chosen["recall"], chosen["queries_per_second"], "o", color=MODEL, markersize=9, label="chosen")
        panel.axvline(target, color=INK, linewidth=0.8, linestyle=":", label="asked for")
        panel.set_yscale("log")
        panel.yaxis.set_major_formatter("{x:,.0f}")
        panel.yaxis.set_minor_formatter("{x:,.0f}")
        panel.set_xlabel(f"recall@{chosen['k']} against exact search")
        panel.set_ylabel("queries/s")
        panel.legend(frameon=False, fontsize=7)
        return as_svg(figure)


def draw_exposure(shares: Mapping[str, NDArray[np.float64]], *, model: str) -> str:
    """Which tenth of the catalogue, from least to most popular in train, the lists are made of."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(4.6, 3.1), layout="constrained")
        panel = figure.subplots()
        width = 0.8 / max(len(shares), 1)
        for number, ((name, share), colour) in enumerate(zip(shares.items(), _colours(shares, model), strict=True)):
            panel.bar(np.arange(1, 11) + (number - len(shares) / 2) * width, share, width, color=colour, label=name)
        panel.set_xticks(range(1, 11))
        panel.set_xlabel("tenth of the catalogue by popularity (10 = most popular)")
        panel.set_ylabel("share of recommendations")
        panel.legend(frameon=False, fontsize=7)
        return as_svg(figure)


def _colours(names: Iterable[str], model: str) -> list[str]:
    """The model in its own colour, the others in greys from dark to light."""
    ordered = list(names)
    greys = np.linspace(0.3, 0.82, len(ordered))
    return [MODEL if name == model else str(grey) for name, grey in zip(ordered, greys, strict=True)]


def as_svg(figure: Figure) -> str:
    """A drawing as text that takes the width that the page gives it."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    start = text.index("<svg")
    return re.sub(
        r'(<svg[^>]*?) height="[^"]*"([^>]*?) width="[^"]*"|(<svg[^>]*?) width="[^"]*"',
        _drop_size,
        text[start:],
        count=1,
    )


def _drop_size(match: re.Match[str]) -> str:
    """The drawing takes the width that the page gives it."""
    return (match.group(1) or match.group(3) or "") + (match.group(2) or "")
