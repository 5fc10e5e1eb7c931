"""What can be asked of trained towers: candidates, neighbours, words, reasons, and how good the lists are."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recsys.candidates.item_rules import ItemRules, allowed_items
from recsys.candidates.sources.choice import TWO_TOWER
from recsys.core.columns import COUNT, ITEM_ID, RANK, SCORE, SOURCE, USER_ID
from recsys.core.errors import ConfigError, DataError
from recsys.core.files import write_array, write_atomically
from recsys.data.schema import category_columns, text_columns
from recsys.data.vocabulary import Vocabulary
from recsys.evaluation.judgements import build_judgements
from recsys.evaluation.score import score_candidates
from recsys.evaluation.table import metric_rows
from recsys.features.item_text import ALL, search_texts
from recsys.features.sentence_encoder import SentenceEncoder
from recsys.features.text_encoder import TextEncoder
from recsys.inference.embedding import encode_contents, encode_items_taken, encode_texts
from recsys.inference.explanation import score_without
from recsys.models.two_tower import TwoTower
from recsys.sampling.batches import Histories
from recsys.serving.retriever import Retriever

FALLBACK = "fallback"
_N_RESAMPLES = 1000


class Shelf(Protocol):
    """Where the parts of a trained model are: in the folders of a run, or in memory."""

    @property
    def users(self) -> Vocabulary:
        """Who has a history."""
        ...

    @property
    def items(self) -> Vocabulary:
        """What train knows."""
        ...

    @property
    def counts(self) -> NDArray[np.int64]:
        """Train events of each item. Shape (I,)."""
        ...

    @property
    def histories(self) -> Histories:
        """All histories up to the request."""
        ...

    @property
    def user_vectors(self) -> NDArray[np.float32]:
        """Shape (U, D)."""
        ...

    @property
    def towers(self) -> TwoTower:
        """With their weights, on the CPU."""
        ...

    @property
    def encoder(self) -> TextEncoder | SentenceEncoder:
        """Of texts that items are searched by."""
        ...

    @property
    def search_columns(self) -> Sequence[str]:
        """The columns that it was fitted on."""
        ...

    @property
    def item_table(self) -> pl.DataFrame:
        """One row an item, those added since among them."""
        ...

    @property
    def user_table(self) -> pl.DataFrame:
        """One row a user."""
        ...

    def retriever(self, *, at_full_length: bool) -> Retriever:
        """The index with its rules; items that were shortened for the lists of users may count in full."""
        ...

    def like_items(self, table: pl.DataFrame) -> pl.DataFrame:
        """A table of new items with the columns and types of those that are known."""
        ...


class Answers:
    """Questions to one model; what a question needs is opened when it is asked first.

    Args:
        shelf: Where the parts are.
    """

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    @cached_property
    def _for_users(self) -> Retriever:
        return self._shelf.retriever(at_full_length=False)

    @cached_property
    def _in_full(self) -> Retriever:
        return self._shelf.retriever(at_full_length=True)

    def hold(self) -> "Answers":
        """Open all parts now; what is done to their files later is not seen. Returns itself."""
        shelf = self._shelf
        _ = (shelf.users, shelf.items, shelf.counts, shelf.histories, shelf.user_vectors, shelf.towers, shelf.encoder)
        _ = (shelf.search_columns, shelf.item_table, shelf.user_table, self._for_users, self._in_full)
        return self

    @property
    def dim(self) -> int:
        """D, numbers of a vector."""
        return int(self._shelf.user_vectors.shape[1])

    @property
    def user_ids(self) -> pl.Series:
        """Everybody with a history."""
        return self._for_users.users.ids

    @property
    def item_ids(self) -> pl.Series:
        """All items that can be recommended: those of train, placed by their texts, and added since."""
        return self._for_users.items.ids

    def holds(self, item_id: str) -> bool:
        """Whether an item can be recommended."""
        return self._in_full.idx_of(item_id) is not None

    def history(self, user_id: str) -> list[str]:
        """What one user has taken, oldest first.

        Raises:
            DataError: The user is unknown.
        """
        return self._for_users.history(user_id)

    def recommend(
        self,
        users: Sequence[str] | None = None,
        *,
        k: int = 10,
        history: Sequence[str] | None = None,
        attributes: Mapping[str, str] | None = None,
        only: Mapping[str, Sequence[str]] | None = None,
        deny: Sequence[str] = (),
    ) -> pl.DataFrame:
        """The best items for each of some users, or for one user of whom a history or attributes are known.

        They are new to the user, unless the run publishes what was taken before too (`[retrieve] seen`).

        Args:
            users: Who asks. A user without a history gets the most popular items, and `source` says so.
            k: Length of the lists.
            history: Instead of users: items that a new user took, oldest first.
            attributes: Instead of both: values by column of the users' table.
            only: For a category column of items, values of which an item needs at least one.
            deny: Items to leave out.

        Returns:
            user_id (null for a new user), item_id, rank from 1, score, source; in the order asked.

        Raises:
            ConfigError: Not exactly one of users, history and attributes is given.
            DataError: Nothing is known of the history or the attributes, or k is larger than the catalogue.
        """
        asks = {"users": users, "history": history, "attributes": attributes}
        given = [name for name, value in asks.items() if value is not None]
        if len(given) != 1:
            named = " and ".join(given) or "none"
            raise ConfigError(f"recommend: one of users, history and attributes must be given, got {named}; name one")
        if users is None:
            past = [] if history is None else [str(item) for item in history]
            vector = self.encode_attributes(attributes) if attributes is not None else self.encode_history(past)
            taken = [] if self._for_users.keeps_seen else [item for item in past if self.holds(item)]
            found = self.nearest(vector, k=k, only=only, deny=[*deny, *taken], are_users=True)
            return found.select(pl.lit(None, pl.String).alias(USER_ID), ITEM_ID, RANK, SCORE, pl.lit(TWO_TOWER).alias(SOURCE))
        asked = list(dict.fromkeys(str(user) for user in users))
        if not asked:
            return self._no_lists()
        allowed = self._allowed(self._for_users, only, deny)
        found = self._for_users.recommend(asked, k=k, allowed=allowed)
        if SOURCE not in found.columns:
            found = found.with_columns(pl.lit(self._for_users.sources[0]).alias(SOURCE))
        strangers = [user for user in asked if self._for_users.users.idx_of(user) is None]
        if not strangers:
            return found
        lists = pl.concat([found, self._popular(strangers, k=k, allowed=allowed)])
        order = pl.DataFrame({USER_ID: asked}).with_row_index("__order__")
        return lists.join(order, on=USER_ID, how="left").sort("__order__", RANK, maintain_order=True).drop("__order__")

    def similar(self, item: str, *, k: int = 10) -> pl.DataFrame:
        """The items nearest to one item: item_id, rank, score, and what is known of them.

        Raises:
            DataError: The item is unknown, or k is larger than the catalogue.
        """
        return self.with_titles(self._for_users.similar(str(item), k=k))

    def search(
        self, text: str, *, k: int = 10, only: Mapping[str, Sequence[str]] | None = None, deny: Sequence[str] = ()
    ) -> pl.DataFrame:
        """The items that a text describes best: item_id, rank, score, and what is known of them.

        Raises:
            DataError: No word of the text occurs in the texts of the items.
            ArtefactError: The model was trained without texts.
        """
        return self.nearest(self.encode_text([text]), k=k, only=only, deny=deny).drop("query")

    def explain(self, user: str, item: str, *, k: int = 5) -> pl.DataFrame:
        """Because of what: the items of a history without which the score of an item would fall most.

        Args:
            user: Who has a history.
            item: One that train knows.
            k: How many items.

        Returns:
            item_id, fall (how much the score falls without it), without (what is left), score (of the item for the user, the
            same in each row), and what is known of the items; largest fall first.

        Raises:
            DataError: The user or the item is unknown.
        """
        shelf = self._shelf
        user_idx, item_idx = shelf.users.idx_of(str(user)), shelf.items.idx_of(str(item))
        for idx, kind, identifier in ((user_idx, "user", user), (item_idx, "item", item)):
            if idx is None:
                raise DataError(f"explain: the {kind} must be in the training set, got '{identifier}'; check the id")
        score, seen, without = score_without(
            shelf.towers, shelf.histories, user_idx=int(user_idx or 0), item_idx=int(item_idx or 0)
        )
        table = pl.DataFrame({ITEM_ID: shelf.items.ids.gather(seen), "fall": score - without, "without": without})
        best = table.with_columns(score=pl.lit(score)).sort("fall", descending=True, maintain_order=True).head(k)
        return self.with_titles(best)

    def evaluate(self, held_out: pl.DataFrame, *, k: int = 10, seed: int = 0) -> pl.DataFrame:
        """How good the lists are: every metric against held-out events, over the whole catalogue.

        What a user has taken before counts where lists may hold it, and else is not judged.

        Args:
            held_out: user_id and item_id of events later than all that was fitted on. Users without a history are not judged.
            k: Length of the lists.
            seed: Of the bootstrap over users.

        Returns:
            metric, value, low, high (a 95 % interval), n_users.

        Raises:
            DataError: Nobody can be judged.
        """
        histories, items = self._shelf.histories, self._shelf.items
        owners = np.repeat(np.arange(histories.n_users), np.diff(histories.offsets))
        columns = {USER_ID: self._shelf.users.ids.gather(owners), ITEM_ID: items.ids.gather(np.asarray(histories.item_idx))}
        before = pl.DataFrame(columns)
        judgements = build_judgements(
            before,
            before.clear(),
            held_out.select(pl.col(USER_ID, ITEM_ID).cast(pl.String)),
            has_repeats=self._for_users.keeps_seen,
        )
        catalogue = pl.DataFrame({ITEM_ID: items.ids, COUNT: self._shelf.counts})
        lists = self.recommend(judgements.n_relevant[USER_ID].to_list(), k=k)
        scored = score_candidates(lists.lazy(), judgements, catalogue, ks=[k], name="the model")
        rows = metric_rows({"model": scored}, n_items=len(items), ks=[k], n_resamples=_N_RESAMPLES, seed=seed)
        return pl.DataFrame(rows).drop("model")

    def encode_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Where items that are described like this lie. Shape (N, D).

        Raises:
            DataError: No word of a text occurs in the texts of the items.
            ArtefactError: The model was trained without texts.
        """
        towers, vectors = self._shelf.towers, self._shelf.encoder.encode(list(texts))
        unknown = np.flatnonzero(~vectors.any(1))
        if towers.spec.search_dim and len(unknown):
            raise DataError(
                f"search: a text must have a word that the items' texts have too, got '{texts[unknown[0]]}'; use other words"
            )
        return encode_texts(towers, vectors)

    def encode_items(self, table: pl.DataFrame) -> NDArray[np.float32]:
        """The vectors of items: those of train or added since by their own, others by their texts. Shape (N, D).

        Args:
            table: `item_id` and the columns of the known items; what is not there is not known of an item.

        Raises:
            DataError: There is no `item_id`, or nothing is known of an item.
            ArtefactError: There are new items, and the model was trained without texts.
        """
        if ITEM_ID not in table.columns:
            raise DataError(f"encode_items: the table must have item_id, got {', '.join(table.columns) or 'no columns'}")
        table = table.with_columns(pl.col(ITEM_ID).cast(pl.String))
        idx = [self._in_full.idx_of(item) for item in table[ITEM_ID]]
        vectors = np.zeros((table.height, self.dim), np.float32)
        is_known = np.array([own is not None for own in idx], bool)
        vectors[is_known] = self._in_full.vectors(np.array([own for own in idx if own is not None], np.int64))
        if not is_known.all():
            new = table.filter(~pl.Series(is_known))
            texts = self._shelf.encoder.encode(
                search_texts(self._shelf.like_items(new), columns=self._shelf.search_columns)[ALL]
            )
            towers = self._shelf.towers
            if (nothing := ~texts.any(1)).any() and towers.spec.search_dim:
                first = new[ITEM_ID][int(np.flatnonzero(nothing)[0])]
                raise DataError(
                    f"encode_items: of a new item some text, category or number must be known, got none for '{first}'; "
                    "give the columns that the items of the run have"
                )
            vectors[~is_known] = encode_contents(towers, texts)
        return vectors

    def encode_history(self, item_ids: Sequence[str]) -> NDArray[np.float32]:
        """The vector of a user of whom nothing is known but some items, oldest first. Shape (1, D).

        Items that train does not know are passed over; times are not known.

        Raises:
            DataError: Train knows none of the items.
        """
        found = [idx for idx in (self._shelf.items.idx_of(str(item)) for item in item_ids) if idx is not None]
        if not found:
            raise DataError(f"recommend: some item of a history must be in the training set, got none of {len(item_ids)}")
        return encode_items_taken(self._shelf.towers, found)

    def encode_attributes(self, attributes: Mapping[str, str]) -> NDArray[np.float32]:
        """The mean vector of the users who share attributes. Shape (1, D), of length 1.

        Args:
            attributes: By column of the users' table.

        Raises:
            DataError: A column is not there, or no user has all of the values.
        """
        table = self._shelf.user_table
        for column in attributes:
            if column not in table.columns or column == USER_ID:
                known = ", ".join(name for name in table.columns if name != USER_ID) or "none"
                raise DataError(f"recommend: an attribute must be a column of users, got '{column}'; columns: {known}")
        alike = table.filter([_has(table.schema[column], column, value) for column, value in attributes.items()])
        rows = self._shelf.users.frame(id_column=USER_ID, idx_column="row").join(alike.select(USER_ID), on=USER_ID)
        if rows.is_empty():
            shown = ", ".join(f"{column}={value}" for column, value in attributes.items())
            raise DataError(f"recommend: some user must have the attributes, got none with {shown}; ask for fewer")
        mean = np.array(self._shelf.user_vectors)[rows["row"].to_numpy()].mean(0, keepdims=True)
        return np.asarray(mean / np.linalg.norm(mean), np.float32)

    def nearest(
        self,
        vectors: NDArray[np.float32],
        *,
        k: int = 10,
        only: Mapping[str, Sequence[str]] | None = None,
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
        retriever = self._for_users if are_users else self._in_full
        return self.with_titles(retriever.nearest(vectors, k=k, allowed=self._allowed(retriever, only, deny)))

    def with_titles(self, found: pl.DataFrame, *, categories: bool = True) -> pl.DataFrame:
        """Add the texts and, if asked, the categories of items to a table with `item_id`."""
        items = self._shelf.item_table.join(found.select(ITEM_ID).unique(), on=ITEM_ID, how="semi")
        shown = [pl.col(ITEM_ID), *(pl.col(name) for name in text_columns(items))]
        shown += [pl.col(name).list.join(", ") for name in category_columns(items) if categories]
        return found.join(items.select(shown), on=ITEM_ID, how="left", maintain_order="left")

    def export(self, folder: Path) -> list[Path]:
        """Write item and user vectors as Parquet, with ids and what is known of items, and as `.npy` with the same rows.

        Items that were placed by their texts or added since come behind those of train.

        Raises:
            ConfigError: The folder is a file or cannot be written to, or holds other tables than an earlier export.
        """
        if folder.exists() and not folder.is_dir():
            raise ConfigError(f"export: {folder} must be a folder or not there yet, got a file; name another folder")
        ids = self._in_full.items.ids
        sides = {
            "items": (ITEM_ID, ids, self._in_full.vectors(np.arange(len(ids)))),
            "users": (USER_ID, self._in_full.users.ids, np.array(self._shelf.user_vectors)),
        }
        for side in sides:
            there = folder / f"{side}.parquet"
            if there.exists() and not _has_vectors(there):
                raise ConfigError(f"export: {there} must be of an earlier export or not there, got a file without vectors")
        written = []
        try:
            for side, (column, own, vectors) in sides.items():
                table = pl.DataFrame({column: own, "vector": pl.Series(vectors).cast(pl.List(pl.Float32))})
                table = self.with_titles(table) if side == "items" else table
                with write_atomically(folder / f"{side}.parquet") as partial:
                    table.write_parquet(partial)
                write_array(folder / f"{side}.npy", vectors)
                written += [folder / f"{side}.parquet", folder / f"{side}.npy"]
        except OSError as error:
            raise ConfigError(f"export: {folder} must be writable, got: {error.strerror or error}") from None
        return written

    def _allowed(
        self, retriever: Retriever, only: Mapping[str, Sequence[str]] | None, deny: Sequence[str]
    ) -> NDArray[np.bool_] | None:
        if not (only or deny):
            return None
        rules = ItemRules(deny=[str(item) for item in deny], categories=only or {})
        return allowed_items(rules, self._shelf.item_table, items=retriever.items)

    def _popular(self, users: Sequence[str], *, k: int, allowed: NDArray[np.bool_] | None) -> pl.DataFrame:
        """The most popular items for users without a history; the score is an item's share of all train events."""
        counts = np.asarray(self._shelf.counts)
        allowed = self._for_users.allowed(allowed)
        free = np.arange(len(counts)) if allowed is None else np.flatnonzero(allowed[: len(counts)])
        best = free[np.argsort(-counts[free], kind="stable")][:k]
        one = pl.DataFrame(
            {
                ITEM_ID: self._shelf.items.ids.gather(best),
                RANK: np.arange(1, len(best) + 1, dtype=np.int32),
                SCORE: (counts[best] / max(int(counts.sum()), 1)).astype(np.float32),
                SOURCE: [FALLBACK] * len(best),
            }
        )
        return pl.DataFrame({USER_ID: users}, schema={USER_ID: pl.String()}).join(one, how="cross", maintain_order="left_right")

    @staticmethod
    def _no_lists() -> pl.DataFrame:
        text = (USER_ID, ITEM_ID, SOURCE)
        schema = {name: pl.String() for name in text} | {RANK: pl.Int32(), SCORE: pl.Float32()}
        return pl.DataFrame(schema={name: schema[name] for name in (USER_ID, ITEM_ID, RANK, SCORE, SOURCE)})


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
