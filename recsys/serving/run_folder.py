"""A run folder, opened: its catalogue with what changed since, its index, and what is known of items."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from recsys.candidates.candidate_search import read_plan
from recsys.candidates.changes import Changes
from recsys.candidates.new_items import read_all_items
from recsys.candidates.plan import read_catalogue_changes, update_plan
from recsys.core.columns import ITEM_ID
from recsys.data.schema import category_columns, text_columns
from recsys.data.vocabulary import Vocabulary, read_vocabulary
from recsys.index.nearest import UNIT_TOLERANCE
from recsys.serving.retriever import Retriever


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


def with_titles(folder: Path, found: pl.DataFrame, *, categories: bool = True) -> pl.DataFrame:
    """Add text and, if asked, categories of the items, where the run has them."""
    if not (folder / "ingest" / "items.parquet").is_file():
        return found
    items = read_all_items(folder)
    shown = [pl.col(ITEM_ID), *(pl.col(name) for name in text_columns(items))]
    shown += [pl.col(name).list.join(", ") for name in category_columns(items) if categories]
    return found.join(items.select(shown), on=ITEM_ID, how="left", maintain_order="left")
