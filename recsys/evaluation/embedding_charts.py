"""Pictures of a space of embeddings: a map of the items, and their lengths against popularity."""

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from recsys.evaluation.charts import MODEL, STYLE, as_svg

_COLOURS = ("#0b6e6e", "#d95f02", "#7570b3", "#e7298a", "#66a61e", "#e6ab02", "#a6761d", "#1f78b4")
_OTHER = "#c3c8ce"


def draw_map(points: NDArray[np.float64], groups: list[str | None], *, heading: str) -> str:
    """Items on a plane, coloured by group; the largest groups have a colour each.

    Args:
        points: Shape (N, 2).
        groups: What each item is; None if that is not known.
        heading: What the groups are.
    """
    names, sizes = np.unique([group for group in groups if group is not None] or ["all"], return_counts=True)
    largest = [str(name) for name in names[np.argsort(-sizes, kind="stable")][: len(_COLOURS)]]
    label = np.array([group if group in largest else "other" for group in groups], dtype=object)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(4.6, 4.0), layout="constrained")
        panel = figure.subplots()
        for name, colour in [("other", _OTHER), *zip(largest, _COLOURS, strict=False)]:
            own = label == name
            if own.any():
                panel.scatter(points[own, 0], points[own, 1], s=5, color=colour, label=name, linewidths=0)
        panel.set_xticks([])
        panel.set_yticks([])
        panel.set_title(heading, loc="left", fontsize=9)
        panel.legend(frameon=False, fontsize=7, markerscale=2.5, loc="upper left", bbox_to_anchor=(1.0, 1.0))
        return as_svg(figure)


def draw_norms(norms: NDArray[np.float32], counts: NDArray[np.integer]) -> str:
    """The length of each item's vector before it became 1, against its train events."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(4.6, 4.0), layout="constrained")
        panel = figure.subplots()
        panel.scatter(np.maximum(counts, 1), norms, s=5, color=MODEL, alpha=0.4, linewidths=0)
        panel.set_xscale("log")
        panel.xaxis.set_major_formatter("{x:,.0f}")
        panel.set_xlabel("train events of an item")
        panel.set_ylabel("length of its vector")
        return as_svg(figure)
