"""The report's pictures of figures."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
from numpy.typing import NDArray

from recsys.evaluation.comparison import Comparison
from recsys.evaluation.drawing import BAD, GOOD, INK, LEVEL, MODEL, ROW, SOFT, WIDTH, as_svg, chart, labelled_lines

_MOST_LINES = 5


def draw_intervals(rows: Sequence[Mapping[str, Any]], *, model: str, metric: str, is_good: bool) -> str:
    """One line a model: its figure and interval, the best first; ours in a colour of its own.

    Args:
        rows: `model, metric, value, low, high`, in the order in which models are drawn.
        model: Ours.
        metric: Which rows are drawn.
        is_good: Whether ours is what to use; the good colour is for that alone.
    """
    own = [row for row in rows if row["metric"] == metric]
    names = [str(row["model"]) for row in own]
    table = [
        {"model": row["model"], "value": row["value"], "low": row["low"], "high": row["high"], "text": f"{row['value']:.4f}"}
        for row in own
    ]
    colour = alt.condition(alt.datum.model == model, alt.value(GOOD if is_good else BAD), alt.value(SOFT))
    base = chart(table).encode(y=alt.Y("model:N", sort=names, title=None), color=colour)
    scale = alt.Scale(zero=True, domainMax=1.18 * max((row["high"] for row in table), default=1) or 1, nice=False)
    x = alt.X("value:Q", title=metric.upper(), scale=scale, axis=alt.Axis(tickCount=5))
    ruled = base.mark_rule(strokeWidth=3).encode(x=alt.X("low:Q", title=metric.upper(), scale=scale), x2="high:Q")
    text = base.mark_text(align="left", dx=8).encode(x=alt.X("high:Q", scale=scale), text="text:N")
    return as_svg(
        ruled + base.mark_point(filled=True, size=60, opacity=1).encode(x=x) + text,
        title=f"{metric.upper()} of each model with its 95 % interval",
        height=ROW * len(own),
    )


def draw_differences(comparisons: Sequence[Comparison]) -> str:
    """The model minus each baseline with its interval; right of zero is better."""
    table = [
        {
            "baseline": row.baseline,
            "value": row.difference.value,
            "low": row.difference.low,
            "high": row.difference.high,
            "is": "better" if row.is_beaten else "worse" if row.is_better else "not distinguishable",
        }
        for row in comparisons
    ]
    domain = ["better", "not distinguishable", "worse"]
    base = chart(table).encode(
        y=alt.Y("baseline:N", sort=[row.baseline for row in comparisons], title=None),
        color=alt.Color("is:N", scale=alt.Scale(domain=domain, range=[GOOD, LEVEL, BAD]), title=None),
        shape=alt.Shape(
            "is:N", scale=alt.Scale(domain=domain, range=["triangle-right", "circle", "triangle-left"]), title=None
        ),
    )
    metric = comparisons[0].metric.upper() if comparisons else ""
    title = f"difference in {metric}, paired over users"
    zero = chart([{"zero": 0}]).mark_rule(color=INK).encode(x="zero:Q")
    drawn = (
        zero
        + base.mark_rule(strokeWidth=3).encode(x=alt.X("low:Q", title=title, axis=alt.Axis(tickCount=5)), x2="high:Q")
        + base.mark_point(filled=True, size=70, opacity=1).encode(x=alt.X("value:Q", title=title))
    )
    return as_svg(drawn, title=f"the model minus each other in {metric}, 95 % intervals", height=ROW * max(len(table), 1))


def draw_recall_curves(curves: Mapping[str, NDArray[np.float64]], *, model: str, ceiling: float) -> str:
    """Mean recall against list length, one labelled line a model, and what is the most that could be reached.

    Args:
        curves: Of each model, the best first; ours and the first of the others are drawn.
        model: Ours.
        ceiling: The most that could be reached.
    """
    shown = [name for name in curves if name == model][:1]
    shown += [name for name in curves if name != model][: _MOST_LINES - len(shown)]
    table = []
    for name in shown:
        ranks = np.unique(np.geomspace(1, len(curves[name]), 60).astype(int))
        table += [{"model": name, "k": int(k), "recall": float(curves[name][k - 1])} for k in ranks]
    drawn = labelled_lines(
        table, x="k", y="recall", names=shown, log=True, x_title="list length k", y_title="recall@k", highest=ceiling
    )
    highest = chart([{"ceiling": ceiling}])
    rule = highest.mark_rule(strokeDash=[3, 3], color=SOFT).encode(y="ceiling:Q")
    return as_svg(drawn + rule, title="recall by list length; dashed: the most that any list could reach", height=220)


def draw_exposure(shares: Mapping[str, NDArray[np.float64]], *, model: str) -> str:
    """Which tenth of the catalogue, from least to most popular in train, the lists are made of.

    Args:
        shares: Of each model, shape (10,); ours and the first of the others are drawn.
        model: Ours.
    """
    shown = [name for name in shares if name == model][:1]
    shown += [name for name in shares if name != model][: _MOST_LINES - len(shown)]
    table = [
        {"model": name, "tenth": number + 1, "share": float(share)}
        for name in shown
        for number, share in enumerate(shares[name])
    ]
    drawn = labelled_lines(
        table, x="tenth", y="share", names=shown, x_title="tenth of the catalogue (10 = most popular)", y_title="share of lists"
    )
    return as_svg(drawn, title="what lists are made of, by popularity", height=220)


def draw_training(epochs: Sequence[Mapping[str, Any]]) -> str:
    """Loss and validation NDCG by epoch, one above the other; the epoch that was kept is marked.

    Args:
        epochs: `epoch, loss, validation_ndcg, is_best`, the last best one is kept.
    """
    kept = max((row["epoch"] for row in epochs if row["is_best"]), default=None)
    panels = []
    for field, heading in (("loss", "training loss"), ("validation_ndcg", "validation NDCG@10")):
        table = [
            {"epoch": row["epoch"], "value": row[field], "kept": row["epoch"] == kept}
            for row in epochs
            if row[field] is not None
        ]
        if table:
            base = chart(table).encode(
                x=alt.X("epoch:Q", title="epoch", axis=alt.Axis(tickMinStep=1, format="d")),
                y=alt.Y("value:Q", title=heading, scale=alt.Scale(zero=False)),
            )
            size = alt.condition(alt.datum.kept, alt.value(120), alt.value(24))
            drawn = base.mark_line(color=MODEL) + base.mark_point(filled=True, color=MODEL, opacity=1).encode(size=size)
            panels.append(drawn.properties(width=WIDTH, height=110))
    return as_svg(alt.vconcat(*panels), title="training by epoch; the large point is the epoch that was kept")


def draw_segments(rows: Sequence[Mapping[str, Any]], *, metric: str, model: str, other: str) -> str:
    """Each part of users or items: the published lists and the strongest rule side by side.

    Args:
        rows: `segment, model, metric, value`.
        metric: Which rows are drawn.
        model: Ours.
        other: The rule.
    """
    table = [row for row in rows if row["metric"] == metric and row["model"] in (model, other)]
    names = list(dict.fromkeys(row["segment"] for row in table))
    values = [{"segment": row["segment"], "model": row["model"], "value": row["value"]} for row in table]
    domain = list(dict.fromkeys([model, other]))
    drawn = (
        chart(values)
        .mark_point(filled=True, size=70, opacity=1)
        .encode(
            x=alt.X("value:Q", title=metric.upper(), axis=alt.Axis(tickCount=5)),
            y=alt.Y("segment:N", sort=names, title=None, axis=alt.Axis(grid=True, labelLimit=290)),
            color=alt.Color("model:N", scale=alt.Scale(domain=domain, range=[MODEL, SOFT][: len(domain)]), title=None),
            shape=alt.Shape("model:N", scale=alt.Scale(domain=domain, range=["circle", "diamond"][: len(domain)]), title=None),
        )
    )
    return as_svg(drawn, title=f"{metric.upper()} by part of users and items", height=ROW * max(len(names), 1))


def draw_index_curve(points: Sequence[Mapping[str, Any]], *, target: float, chosen: Mapping[str, Any]) -> str:
    """Queries a second against recall, one labelled line a build of the index, the target and the point that was chosen."""
    table = [
        {"model": f"{p['backend']}, {p['build']}", "recall": p["recall"], "speed": p["queries_per_second"]} for p in points
    ]
    names = list(dict.fromkeys(row["model"] for row in table))
    title = f"recall@{chosen['k']} against exact search"
    drawn = labelled_lines(table, x="recall", y="speed", names=names, x_title=title, y_title="queries/s", log_y=True)
    point = chart([{"recall": chosen["recall"], "speed": chosen["queries_per_second"]}])
    asked = chart([{"target": target}]).mark_rule(strokeDash=[3, 3], color=SOFT).encode(x="target:Q")
    marked = point.mark_point(size=160, color=INK, strokeWidth=2).encode(x="recall:Q", y="speed:Q")
    return as_svg(drawn + asked + marked, title="the index: speed by recall; ringed: chosen, dashed: asked for", height=220)


def draw_shares(rows: Sequence[Mapping[str, Any]]) -> str:
    """NDCG@10 against the share of users with targets, from scratch and pre-trained.

    Args:
        rows: `share, scratch, pretrained`.
    """
    kinds = (("pretrained", "pre-trained"), ("scratch", "from scratch"))
    table = [{"model": label, "share": 100 * row["share"], "ndcg": row[key]} for key, label in kinds for row in rows]
    names = [label for _, label in kinds]
    title = "users with training targets, %"
    drawn = labelled_lines(table, x="share", y="ndcg", names=names, log=True, x_title=title, y_title="NDCG@10")
    return as_svg(drawn, title="NDCG@10 with few labels", height=220)
