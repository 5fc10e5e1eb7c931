"""Users, items and texts of a finished run in one space, for search, for new items, and for retrieval in a RAG pipeline.

>>> space = EmbeddingSpace(Path("artifacts/ml-1m"))  # doctest: +SKIP
>>> space.nearest(space.encode_text(["space opera with robots"]), k=5)  # doctest: +SKIP
"""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recsys.candidates.item_rules import ItemRules, allowed_items
from recsys.candidates.new_items import like_items, read_all_items
from recsys.core.columns import ITEM_ID, USER_ID
from recsys.core.errors import ConfigError, DataError
from recsys.core.files import MANIFEST, read_array, read_json, write_array, write_atomically
from recsys.data.vocabulary import read_vocabulary
from recsys.features.item_text import ALL, search_texts
from recsys.features.text_encoder import read_text_encoder
from recsys.inference.embedding import encode_contents, encode_items_taken, encode_texts
from recsys.inference.towers import open_towers
from recsys.models.two_tower import TwoTower
from recsys.serving.retriever import Retriever
from recsys.serving.run_folder import open_retriever, with_titles


class EmbeddingSpace:
    """Vectors of length 1 whose products are similarities, whatever they are of.

    Args:
        run: The folder of a finished run.
    """

    def __init__(self, run: Path) -> None:
        self.run = run
        self._retriever: Retriever = open_retriever(run, at_full_length=True)
        self._towers: TwoTower = open_towers(pairs=run / "pairs", train=run / "train")
        self._vocabulary = read_vocabulary(run / "pairs" / "items.parquet", id_column=ITEM_ID)
        self._held = frozenset(self._retriever.items.ids)
        self._columns = read_json(run / "pairs" / MANIFEST)["facts"]["search_columns"]
        self._encoder = read_text_encoder(run / "pairs" / "text_encoder")

    @cached_property
    def _for_users(self) -> Retriever:
        return open_retriever(self.run)

    @property
    def dim(self) -> int:
        """D."""
        return self._towers.spec.dim

    def holds(self, item_id: str) -> bool:
        """Whether an item can be recommended: one of train, one placed by its texts, or one added."""
        return item_id in self._held

    def encode_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Where items that are described like this lie. Shape (N, D).

        Raises:
            DataError: No word of a text occurs in the texts of the items.
            ArtefactError: The run has no text tower.
        """
        vectors = self._encoder.encode(list(texts))
        unknown = np.flatnonzero(~vectors.any(1))
        if self._towers.spec.search_dim and len(unknown):
            raise DataError(
                f"search: a text must have a word that the items' texts have too, got '{texts[unknown[0]]}'; use other words"
            )
        return encode_texts(self._towers, vectors)

    def encode_items(self, table: pl.DataFrame) -> NDArray[np.float32]:
        """The vectors of items: those of train or added since by their own, others by their texts. Shape (N, D).

        Args:
            table: `item_id` and the columns of the run's items; what is not there is not known of an item.

        Raises:
            DataError: There is no `item_id`, or nothing is known of an item.
            ArtefactError: There are new items, and the run has no text tower.
        """
        if ITEM_ID not in table.columns:
            raise DataError(f"encode_items: the table must have item_id, got {', '.join(table.columns) or 'no columns'}")
        table = table.with_columns(pl.col(ITEM_ID).cast(pl.String))
        places = [self._retriever.place_of(item) for item in table[ITEM_ID]]
        vectors = np.zeros((table.height, self.dim), np.float32)
        is_known = np.array([place is not None for place in places], bool)
        vectors[is_known] = self._retriever.vectors(np.array([place for place in places if place is not None], np.int64))
        if not is_known.all():
            new = table.filter(~pl.Series(is_known))
            texts = self._encoder.encode(search_texts(like_items(self.run, new), columns=self._columns)[ALL])
            if (nothing := ~texts.any(1)).any() and self._towers.spec.search_dim:
                first = new[ITEM_ID][int(np.flatnonzero(nothing)[0])]
                raise DataError(
                    f"encode_items: of a new item some text, category or number must be known, got none for '{first}'; "
                    "give the columns that the items of the run have"
                )
            vectors[~is_known] = encode_contents(self._towers, texts)
        return vectors

    def nearest(
        self,
        vectors: NDArray[np.float32],
        *,
        k: int,
        only: dict[str, list[str]] | None = None,
        deny: Sequence[str] = (),
        are_users: bool = False,
    ) -> pl.DataFrame:
        """The items nearest to each vector, with what is known of them.

        Args:
            vectors: Shape (Q, D).
            k: Length of the lists.
            only: For a category column, values of which an item needs at least one.
            deny: Item ids to leave out.
            are_users: Whether items that no user has taken stand back, as they do in the lists of users.

        Returns:
            query (from 0), item_id, rank (from 1), score, and the texts and categories of the items.
        """
        rules = ItemRules(deny=deny, categories=only or {})
        allowed = allowed_items(rules, read_all_items(self.run), items=self._retriever.items)
        retriever = self._for_users if are_users else self._retriever
        return with_titles(self.run, retriever.nearest(vectors, k=k, allowed=allowed))

    def export(self, folder: Path) -> list[Path]:
        """Write item and user vectors as Parquet, with ids and what is known of items, and as `.npy` with the same rows.

        Items that were placed by their texts or added since come behind those of train.

        Raises:
            ConfigError: The folder is a file or cannot be written to, or holds other tables than an earlier export.
        """
        if folder.exists() and not folder.is_dir():
            raise ConfigError(f"export: {folder} must be a folder or not there yet, got a file; name another place")
        items = self._retriever.items.ids
        sides = {
            "items": (ITEM_ID, items, self._retriever.vectors(np.arange(len(items)))),
            "users": (USER_ID, self._retriever.users.ids, np.array(read_array(self.run / "embed" / "users.npy"))),
        }
        for side in sides:
            there = folder / f"{side}.parquet"
            if there.exists() and not _has_vectors(there):
                raise ConfigError(f"export: {there} must be of an earlier export or not there, got a file without vectors")
        written = []
        try:
            for side, (column, ids, vectors) in sides.items():
                table = pl.DataFrame({column: ids, "vector": pl.Series(vectors).cast(pl.List(pl.Float32))})
                table = with_titles(self.run, table) if side == "items" else table
                with write_atomically(folder / f"{side}.parquet") as partial:
                    table.write_parquet(partial)
                write_array(folder / f"{side}.npy", vectors)
                written += [folder / f"{side}.parquet", folder / f"{side}.npy"]
        except OSError as error:
            raise ConfigError(f"export: {folder} must be a place to write to, got: {error.strerror or error}") from None
        return written

    def encode_history(self, item_ids: Sequence[str]) -> NDArray[np.float32]:
        """The vector of a user of whom nothing is known but some items, oldest first. Shape (1, D).

        Items that train does not know are passed over; times are not known.

        Raises:
            DataError: Train knows none of the items.
        """
        found = [place for place in map(self._vocabulary.idx_of, item_ids) if place is not None]
        if not found:
            raise DataError(f"recommend: some item of a history must be in the training set, got none of {len(item_ids)}")
        return encode_items_taken(self._towers, found)

    def encode_attributes(self, attributes: dict[str, str]) -> NDArray[np.float32]:
        """The mean vector of the users who share attributes. Shape (1, D), of length 1.

        Args:
            attributes: By column of the run's users.

        Raises:
            DataError: A column is not there, or no user has all of the values.
        """
        table = pl.read_parquet(self.run / "ingest" / "users.parquet")
        for column in attributes:
            if column not in table.columns or column == USER_ID:
                known = ", ".join(name for name in table.columns if name != USER_ID) or "none"
                raise DataError(f"recommend: an attribute must be a column of users, got '{column}'; columns: {known}")
        alike = table.filter([_has(table.schema[column], column, value) for column, value in attributes.items()])
        users = read_vocabulary(self.run / "pairs" / "users.parquet", id_column=USER_ID)
        rows = users.frame(id_column=USER_ID, idx_column="row").join(alike.select(USER_ID), on=USER_ID)["row"].to_numpy()
        if not len(rows):
            shown = ", ".join(f"{column}={value}" for column, value in attributes.items())
            raise DataError(f"recommend: some user must have the attributes, got none with {shown}; ask for fewer")
        mean = np.array(read_array(self.run / "embed" / "users.npy"))[rows].mean(0, keepdims=True)
        return np.asarray(mean / np.linalg.norm(mean), np.float32)


def _has_vectors(path: Path) -> bool:
    try:
        return "vector" in pl.read_parquet_schema(path)
    except (OSError, pl.exceptions.PolarsError):
        return False


def _has(dtype: pl.DataType, column: str, value: str) -> pl.Expr:
    if isinstance(dtype, pl.List):
        return pl.col(column).list.contains(value)
    if dtype.is_numeric():
        return pl.col(column) == pl.lit(value).cast(pl.Float64, strict=False)
    return pl.col(column).cast(pl.String) == value
