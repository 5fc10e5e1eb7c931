"""The page of a study of pre-training."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
from jinja2 import Environment, PackageLoader
from matplotlib.figure import Figure

from recsys.core.files import write_atomically
from recsys.evaluation.charts import BASELINE, MODEL, STYLE, as_svg


def write_study_page(
    path: Path,
    *,
    name: str,
    rows: Sequence[Mapping[str, Any]],
    probes: Mapping[str, Mapping[str, Any]],
    protocol: Sequence[str],
) -> None:
    """Draw the page and write it, atomically. Every text is escaped.

    Args:
        path: The page.
        name: Title.
        rows: `share, n_seeds, scratch, pretrained, lift`, one a share of labelled users.
        probes: By what is read off: `macro`, the areas of random, pretrained and supervised towers.
        protocol: What was done, line by line, each `label: text`.
    """
    environment = Environment(loader=PackageLoader("recsys.evaluation", "."), autoescape=True)
    page = environment.get_template("study.html.j2").render(
        name=name, rows=rows, probes=probes, protocol=protocol, curve=draw_shares(rows)
    )
    with write_atomically(path) as partial:
        partial.write_text(page, encoding="utf-8")


def draw_shares(rows: Sequence[Mapping[str, Any]]) -> str:
    """NDCG@10 against the share of users with targets, from scratch and pre-trained."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(6.4, 3.2), layout="constrained")
        panel = figure.subplots()
        for key, label, colour in (("scratch", "from scratch", BASELINE), ("pretrained", "pre-trained", MODEL)):
            panel.plot([100 * row["share"] for row in rows], [row[key] for row in rows], "o-", label=label, color=colour)
        panel.set_xscale("log")
        panel.xaxis.set_major_formatter("{x:g} %")
        panel.xaxis.set_minor_formatter("")
        panel.set_ylim(bottom=0)
        panel.set_xlabel("users with training targets")
        panel.set_ylabel("NDCG@10")
        panel.legend(frameon=False)
        return as_svg(figure)
