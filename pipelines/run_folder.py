"""A run folder as the commands see it: which one, its catalogue with what changed, and how rows of it are shown."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import polars as pl
import typer
from rich.console import Console
from rich.table import Table

from pipelines.new_items import read_all_items
from pipelines.search_plan import read_catalogue_changes, update_plan
from pipelines.stage import MANIFEST
from recsys.core.columns import ITEM_ID
from recsys.core.errors import ArtefactError, ConfigError
from recsys.data.schema import category_columns, text_columns
from recsys.data.vocabulary import Vocabulary, read_vocabulary
from recsys.retrieval.candidate_search import read_plan
from recsys.retrieval.changes import Changes
from recsys.retrieval.nearest import UNIT_TOLERANCE
from recsys.serving.retriever import Retriever

console = Console(highlight=False)

Run = Annotated[Path | None, typer.Option("--run", help="The run folder; the newest under artifacts/ if left out.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Only = Annotated[list[str] | None, typer.Option(help="column=value: items of that category only; again for more.")]
Deny = Annotated[list[str] | None, typer.Option(help="An item id to leave out; again for more.")]
Length = Annotated[int, typer.Option("-k", min=1, help="How many items.")]


def find_run(run: Path | None) -> Path:
    """The folder named, or the newest finished run.

    Raises:
        ArtefactError: There is none.
    """
    if run is not None:
        if not run.exists():
            raise ArtefactError(f"{run} must be a run folder, got none there; name artifacts/<profile> with --run")
        return run
    found = sorted(Path("artifacts").glob(f"*/retrieve/{MANIFEST}"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise ArtefactError(
            "a finished run must be under artifacts/, got none; start one with `make run`, or name one with --run"
        )
    return found[-1].parent.parent


def open_catalogue(folder: Path) -> tuple[Vocabulary, Changes]:
    """The items that the model of a run knows, and what changed since."""
    return read_vocabulary(folder / "pairs" / "items.parquet", id_column=ITEM_ID), read_catalogue_changes(folder)


def open_retriever(folder: Path, *, at_full_length: bool = False) -> Retriever:
    """The index of a run with its vectors, its rules, and what changed since.

    Args:
        folder: The run folder.
        at_full_length: Whether items that were shortened for the lists of users (`[embed] cold_scale`) count in full.
    """
    places = {name: folder / name for name in ("pairs", "embed", "index")}
    items, changes = open_catalogue(folder)
    plan = update_plan(read_plan(folder / "retrieve" / "search"), changes, items=items, pairs=folder / "pairs")
    if at_full_length and plan.added is not None:
        length = np.linalg.norm(plan.added, axis=1, keepdims=True)
        plan = replace(plan, added=np.where(abs(length - 1) > UNIT_TOLERANCE, plan.added / length, plan.added))
    return Retriever(search=plan, **places)


def read_categories(only: list[str]) -> dict[str, list[str]]:
    """What `--only column=value`, given some times, asks for.

    Raises:
        ConfigError: It is no column and value.
    """
    asked: dict[str, list[str]] = {}
    for text in only:
        column, equals, value = text.partition("=")
        if not (column and equals and value):
            raise ConfigError(f"--only must be column=value, got '{text}'; such as --only genre=Drama")
        asked.setdefault(column, []).append(value)
    return asked


def with_titles(folder: Path, found: pl.DataFrame, *, categories: bool = True) -> pl.DataFrame:
    """Add text and, if asked, categories of the items, where the run has them."""
    if not (folder / "ingest" / "items.parquet").is_file():
        return found
    items = read_all_items(folder)
    shown = [pl.col(ITEM_ID), *(pl.col(name) for name in text_columns(items))]
    shown += [pl.col(name).list.join(", ") for name in category_columns(items) if categories]
    return found.join(items.select(shown), on=ITEM_ID, how="left", maintain_order="left")


def print_table(frame: pl.DataFrame, *, title: str) -> None:
    """A table for people."""
    console.print(title, markup=False, style="bold")
    table = Table()
    for name, dtype in frame.schema.items():
        table.add_column(name, justify="right" if dtype.is_numeric() else "left", overflow="fold")
    for row in frame.iter_rows():
        table.add_row(*(f"{cell:.4f}" if isinstance(cell, float) else "" if cell is None else str(cell) for cell in row))
    console.print(table, markup=False)


def print_json(value: object) -> None:
    """The same for programs."""
    print(json.dumps(value, ensure_ascii=False, indent=2))
