"""Pictures of a space of embeddings: a map of the items, and their lengths against popularity."""

import altair as alt
import numpy as np
from numpy.typing import NDArray

from recsys.evaluation.drawing import HUES, LINE, MODEL, as_svg, chart


def draw_map(points: NDArray[np.float64], groups: list[str | None], *, heading: str) -> str:
    """Items on a plane, coloured by group; the largest groups have a colour each.

    Args:
        points: Shape (N, 2).
        groups: What each item is; None if that is not known.
        heading: What the groups are.
    """
    names, sizes = np.unique([group for group in groups if group is not None] or ["all"], return_counts=True)
    largest = [str(name) for name in names[np.argsort(-sizes, kind="stable")][: len(HUES)]]
    table = [
        {"x": round(float(x), 3), "y": round(float(y), 3), "group": group if group in largest else "other"}
        for (x, y), group in zip(points, groups, strict=True)
    ]
    scale = alt.Scale(domain=[*largest, "other"], range=[*HUES[: len(largest)], LINE])
    drawn = (
        chart(table)
        .mark_point(filled=True, size=9, opacity=0.8, aria=False)
        .encode(
            x=alt.X("x:Q", axis=None, scale=alt.Scale(zero=False)),
            y=alt.Y("y:Q", axis=None, scale=alt.Scale(zero=False)),
            color=alt.Color("group:N", scale=scale, title=None),
        )
    )
    return as_svg(drawn, title=heading, height=260)


def draw_norms(norms: NDArray[np.float32], counts: NDArray[np.integer]) -> str:
    """The length of each item's vector before it became 1, against its train events."""
    table = [{"count": int(max(count, 1)), "norm": round(float(norm), 3)} for count, norm in zip(counts, norms, strict=True)]
    drawn = (
        chart(table)
        .mark_point(filled=True, size=9, opacity=0.4, color=MODEL, aria=False)
        .encode(
            x=alt.X(
                "count:Q",
                title="train events of an item",
                scale=alt.Scale(type="log"),
                axis=alt.Axis(format="~s", values=[10**n for n in range(9)]),
            ),
            y=alt.Y("norm:Q", title="length of its vector", scale=alt.Scale(zero=False)),
        )
    )
    return as_svg(drawn, title="lengths of item vectors by popularity", height=260)
