"""What all pictures share: static SVG, drawn by Vega-Lite, in colours that the page names for light and dark."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import vl_convert

INK, SOFT, LINE = "var(--ink)", "var(--soft)", "var(--line)"
MODEL, GOOD, BAD, LEVEL = "var(--model)", "var(--good)", "var(--bad)", "var(--level)"
HUES = tuple(f"var(--hue-{number})" for number in range(1, 9))
WIDTH, ROW = 300, 22


def chart(rows: Sequence[Mapping[str, Any]]) -> alt.Chart:
    """A chart of rows that it carries with it."""
    return alt.Chart(alt.Data(values=list(rows)))  # type: ignore[no-untyped-call]


def labelled_lines(
    table: Sequence[Mapping[str, Any]],
    *,
    x: str,
    y: str,
    names: Sequence[str],
    x_title: str,
    y_title: str,
    log: bool = False,
    log_y: bool = False,
    highest: float = 0.0,
) -> Any:
    """A line a name, in a colour and a dash of its own, with its name at its right end; `highest` is drawn as well."""
    dashes = [[1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 4]]
    colours = alt.Scale(domain=list(names), range=[MODEL, *HUES[1:]][: len(names)])
    dashed = alt.Scale(domain=list(names), range=[dashes[number % len(dashes)] for number in range(len(names))])
    x_axis = alt.Axis(values=[1, 2, 5, 10, 20, 50, 100, 200]) if log else alt.Axis(tickCount=5)
    base = chart(table).encode(
        x=alt.X(
            f"{x}:Q", title=x_title, axis=x_axis, scale=alt.Scale(type="log" if log else "linear", zero=False, nice=not log)
        ),
        y=alt.Y(f"{y}:Q", title=y_title, scale=alt.Scale(type="log" if log_y else "linear")),
        color=alt.Color("model:N", scale=colours, legend=None),
    )
    ends = [max((row for row in table if row["model"] == name), key=lambda row: row[x]) for name in names]
    labels = chart(_apart(ends, y=y, highest=max(highest, *(row[y] for row in table)), log=log_y))
    text = labels.mark_text(align="left", dx=8, baseline="middle").encode(
        x=f"{x}:Q", y="label:Q", text="model:N", color=alt.Color("model:N", scale=colours, legend=None)
    )
    dash = alt.StrokeDash("model:N", scale=dashed, legend=None)
    return alt.layer(
        base.mark_line(strokeWidth=2).encode(strokeDash=dash), base.mark_point(filled=True, size=16, opacity=1), text
    )


def _apart(ends: Sequence[Mapping[str, Any]], *, y: str, highest: float, log: bool) -> list[dict[str, Any]]:
    """Where the labels of lines go: at their ends, moved up where two would cover each other."""
    placed, step = list[dict[str, Any]](), 0.07 * highest
    for row in sorted(ends, key=lambda row: row[y]):
        least = -np.inf if not placed else placed[-1]["label"] * 1.25 if log else placed[-1]["label"] + step
        placed.append({**row, "label": max(row[y], least)})
    return placed


def as_svg(chart: Any, *, title: str, height: int | None = None) -> str:
    """A drawing as text that takes the width that the page gives it, with a name for screen readers."""
    if height is not None:
        chart = chart.properties(width=WIDTH, height=height)
    font = {"labelFont": "sans-serif", "titleFont": "sans-serif", "labelFontSize": 12, "titleFontSize": 12}
    chart = (
        chart.properties(description=title)
        .configure(font="sans-serif", background="transparent")
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=INK,
            titleColor=SOFT,
            titleFontWeight="normal",
            gridColor=LINE,
            domainColor=LINE,
            tickColor=LINE,
            labelOverlap="greedy",
            **font,
        )
        .configure_legend(labelColor=INK, titleColor=SOFT, orient="bottom", columns=2, symbolOpacity=1, labelLimit=170, **font)
        .configure_text(fontSize=12)
    )
    drawn = vl_convert.vegalite_to_svg(chart.to_dict(validate=False), vl_version="6.1")
    sized = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", drawn[drawn.index("<svg") :], count=1)
    return re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", sized, count=1)
