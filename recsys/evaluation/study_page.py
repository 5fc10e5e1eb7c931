"""The page of a study of pre-training."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader

from recsys.core.files import write_atomically
from recsys.evaluation.charts import draw_shares


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
