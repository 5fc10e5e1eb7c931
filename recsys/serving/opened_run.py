"""A finished run, opened: `recsys.open_run("artifacts/ml-100k")`."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from os import PathLike
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recsys.candidates.candidate_search import read_plan
from recsys.candidates.changes import Changes
from recsys.candidates.new_items import like_items, read_all_items
from recsys.candidates.plan import read_catalogue_changes, update_plan
from recsys.core.columns import ITEM_ID, USER_ID
from recsys.core.errors import ArtefactError
from recsys.core.facts import read_facts
from recsys.core.files import read_array
from recsys.data.vocabulary import Vocabulary, read_vocabulary
from recsys.features.facts import PairsFacts
from recsys.features.sentence_encoder import SentenceEncoder
from recsys.features.text_encoder import TextEncoder, read_text_encoder
from recsys.index.nearest import UNIT_TOLERANCE
from recsys.inference.towers import open_towers
from recsys.models.two_tower import TwoTower
from recsys.sampling.batches import Histories, read_histories
from recsys.serving.answers import Answers
from recsys.serving.retriever import Retriever, open_retriever


def open_run(folder: str | PathLike[str]) -> Answers:
    """Open a finished run, or the folder that `Recommender.save` wrote.

    Args:
        folder: Such as `artifacts/<profile>`.

    Raises:
        ArtefactError: It is neither.
    """
    run = Path(folder)
    if not (run / "retrieve" / "search" / "plan.json").is_file():
        raise ArtefactError(f"{run} must be a finished run, got none; name artifacts/<profile>, or finish it with make run")
    if not (run / "embed" / "items.npy").is_file():
        raise ArtefactError(f"{run} must be a run with embeddings, got no items.npy; finish it with make run")
    return Answers(RunShelf(run))


def open_catalogue(run: Path) -> tuple[Vocabulary, Changes]:
    """The items that the model of a run knows, and what changed since."""
    return read_vocabulary(run / "pairs" / "items.parquet", id_column=ITEM_ID), read_catalogue_changes(run)


class RunShelf:
    """The parts of a model in the folders of a run; each is read when it is asked for.

    Args:
        run: The run folder.
    """

    def __init__(self, run: Path) -> None:
        self.run = run

    @cached_property
    def users(self) -> Vocabulary:
        """Who has a history."""
        return read_vocabulary(self.run / "pairs" / "users.parquet", id_column=USER_ID)

    @cached_property
    def items(self) -> Vocabulary:
        """What train knows."""
        return read_vocabulary(self.run / "pairs" / "items.parquet", id_column=ITEM_ID)

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """Train events of each item. Shape (I,)."""
        return np.array(read_array(self.run / "pairs" / "item_count.npy"))

    @cached_property
    def histories(self) -> Histories:
        """All histories up to the request."""
        return read_histories(self.run / "pairs")

    @cached_property
    def user_vectors(self) -> NDArray[np.float32]:
        """Shape (U, D)."""
        return read_array(self.run / "embed" / "users.npy")

    @cached_property
    def towers(self) -> TwoTower:
        """With their weights, on the CPU."""
        return open_towers(pairs=self.run / "pairs", train=self.run / "train")

    @cached_property
    def encoder(self) -> TextEncoder | SentenceEncoder:
        """Of texts that items are searched by."""
        return read_text_encoder(self.run / "pairs" / "text_encoder")

    @cached_property
    def search_columns(self) -> Sequence[str]:
        """The columns that it was fitted on."""
        return read_facts(self.run / "pairs", PairsFacts).search_columns

    @cached_property
    def item_table(self) -> pl.DataFrame:
        """One row an item, those added since among them."""
        return read_all_items(self.run)

    @cached_property
    def user_table(self) -> pl.DataFrame:
        """One row a user."""
        return pl.read_parquet(self.run / "ingest" / "users.parquet")

    def retriever(self, *, at_full_length: bool) -> Retriever:
        """The index with its rules, and what changed since."""
        run, (items, changes) = self.run, open_catalogue(self.run)
        plan = update_plan(read_plan(run / "retrieve" / "search"), changes, items=items, pairs=run / "pairs")
        if at_full_length and plan.added is not None:
            length = np.linalg.norm(plan.added, axis=1, keepdims=True)
            plan = replace(plan, added=np.where(abs(length - 1) > UNIT_TOLERANCE, plan.added / length, plan.added))
        return open_retriever(pairs=run / "pairs", embed=run / "embed", index=run / "index", search=plan)

    def like_items(self, table: pl.DataFrame) -> pl.DataFrame:
        """A table of new items with the columns and types of those that are known."""
        return like_items(self.run, table)
