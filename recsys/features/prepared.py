"""All that the towers read of a log, fitted on train: laid out at once, written as a folder, or kept in memory."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recsys.core.columns import ITEM_ID, ITEM_IDX, USER_ID, USER_IDX
from recsys.core.files import write_array, write_atomically, write_json
from recsys.core.knobs import knob
from recsys.data.vocabulary import Vocabulary, fit_vocabulary, write_vocabulary
from recsys.features.attributes import Attributes, fit_attributes
from recsys.features.facts import PairsFacts, RequestTime
from recsys.features.history import FlatHistories, build_histories
from recsys.features.item_text import ALL, encode_search_texts, fit_item_text, search_texts
from recsys.features.popularity import count_items, log_q
from recsys.features.sentence_encoder import SentenceEncoder
from recsys.features.text_encoder import TextEncoder, fit_text_encoder


@dataclass(frozen=True, slots=True, kw_only=True)
class PairSettings:
    """What is laid out."""

    item_attributes: bool = knob(True, "Whether attributes of items are inputs of the item tower.")
    user_attributes: bool = knob(False, "Whether attributes of users are inputs of the user tower.")
    text_dim: int = knob(32, "Numbers of the text vectors that the item tower reads; 0 is none.", at_least=0, at_most=1024)
    text_encoder: Literal["words", "sentences"] = knob(
        "words",
        "How texts are encoded for search: TF-IDF with truncated SVD, or a frozen sentence encoder (the extra text).",
    )
    search_dim: int = knob(
        512, "Numbers of the text vectors that items are searched by; 0 is no search.", at_least=0, at_most=4096
    )
    seed: int = knob(0, "Of the randomised SVD.", at_least=0, below=2**31)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A log as the towers read it.

    Attributes:
        users: Who has a history; fitted on train.
        items: What train knows.
        histories: Train and validation events as flat arrays.
        counts: Shape (I,), train events of each item.
        log_q: Shape (I,), log of each item's share of train events.
        item_side: Attributes of items.
        user_side: Attributes of users.
        item_text: Shape (I, T), text vectors that the item tower reads.
        encoder: Encodes texts that items are searched by.
        search_columns: The columns of texts, the first all of them together.
        search_text: Shape (I, C, T).
        unknown_events: user_idx and item_id of validation events on items that train does not know.
        n_unknown_validation: How many validation events are of such items or of unknown users.
    """

    users: Vocabulary
    items: Vocabulary
    histories: FlatHistories
    counts: NDArray[np.int64]
    log_q: NDArray[np.float32]
    item_side: Attributes
    user_side: Attributes
    item_text: NDArray[np.float32]
    encoder: TextEncoder | SentenceEncoder
    search_columns: list[str]
    search_text: NDArray[np.float32]
    unknown_events: pl.DataFrame
    n_unknown_validation: int

    def write(self, folder: Path) -> None:
        """Write vocabularies, arrays and the text encoder, each under its own name."""
        write_vocabulary(folder / "users.parquet", self.users, id_column=USER_ID, idx_column=USER_IDX)
        write_vocabulary(folder / "items.parquet", self.items, id_column=ITEM_ID, idx_column=ITEM_IDX)
        self.histories.write(folder)
        with write_atomically(folder / "unknown_events.parquet") as partial:
            self.unknown_events.write_parquet(partial)
        arrays: dict[str, NDArray[Any]] = {
            "item_count": self.counts,
            "log_q": self.log_q,
            "item_text": self.item_text,
            "search_text": self.search_text,
        }
        for side, attributes in (("item", self.item_side), ("user", self.user_side)):
            arrays |= {f"{side}_categories": attributes.categories, f"{side}_numbers": attributes.numbers}
            names = {"categories": attributes.category_names, "numbers": attributes.number_names}
            write_json(folder / f"{side}_attributes.json", names)
        for name, array in arrays.items():
            write_array(folder / f"{name}.npy", array)
        self.encoder.write(folder / "text_encoder")

    def facts(
        self, *, n_train: int, n_validation: int, has_time: bool, request_time: RequestTime, asked: pl.DataFrame
    ) -> PairsFacts:
        """All of this in numbers.

        Args:
            n_train: Train events.
            n_validation: Validation events.
            has_time: Whether timestamps are times, or the order only.
            request_time: When candidates are asked for.
            asked: user_id, validation_time and request_time, as it was prepared with.
        """
        return PairsFacts(
            n_users=len(self.users),
            n_items=len(self.items),
            n_train=n_train,
            n_validation=n_validation,
            n_unknown_validation=self.n_unknown_validation,
            has_time=has_time,
            request_time=request_time,
            n_users_without_request_time=asked["request_time"].null_count(),
            n_item_categories=len(self.item_side.category_names),
            n_user_categories=len(self.user_side.category_names),
            n_item_rows_cut=self.item_side.n_cut,
            n_user_rows_cut=self.user_side.n_cut,
            text_dim=self.item_text.shape[1],
            search_columns=self.search_columns,
            search_dim=self.encoder.dim,
        )


def prepare(
    train: pl.DataFrame,
    validation: pl.DataFrame,
    *,
    users: Vocabulary,
    request_times: pl.DataFrame,
    are_sets: bool,
    item_table: pl.DataFrame,
    user_table: pl.DataFrame,
    settings: PairSettings,
) -> Prepared:
    """Fit everything on train and lay it out.

    Args:
        train: user_id, item_id, timestamp, sorted by user and time.
        validation: Likewise.
        users: From `fit_users` of both.
        request_times: user_id, validation_time and request_time, seconds since 1970, -1 where unknown.
        are_sets: Whether a user's events of one time have no order.
        item_table: One row an item: item_id and its attributes.
        user_table: One row a user: user_id and its attributes.
        settings: What is laid out.
    """
    items = fit_vocabulary(train[ITEM_ID])
    histories, dropped = build_histories(
        train, validation, users=users, items=items, request_times=request_times, are_sets=are_sets
    )
    counts = count_items(train, items=items)
    item_inputs = item_table if settings.item_attributes else None
    texts = search_texts(pl.DataFrame({ITEM_ID: items.ids}).join(item_table, on=ITEM_ID, how="left", maintain_order="left"))
    encoder = _fit_encoder(texts[ALL], settings)
    return Prepared(
        users=users,
        items=items,
        histories=histories,
        counts=counts,
        log_q=log_q(counts),
        item_side=fit_attributes(item_inputs, vocabulary=items, id_column=ITEM_ID),
        user_side=fit_attributes(user_table if settings.user_attributes else None, vocabulary=users, id_column=USER_ID),
        item_text=fit_item_text(item_inputs, vocabulary=items, text_dim=settings.text_dim, seed=settings.seed),
        encoder=encoder,
        search_columns=list(texts),
        search_text=encode_search_texts(encoder, texts),
        unknown_events=_unknown_events(validation, users=users, items=items),
        n_unknown_validation=dropped,
    )


def _fit_encoder(texts: list[str], settings: PairSettings) -> TextEncoder | SentenceEncoder:
    if settings.text_encoder == "words" or not settings.search_dim or not any(texts):
        return fit_text_encoder(texts, dim=settings.search_dim, seed=settings.seed, min_items=1)
    return SentenceEncoder()


def _unknown_events(validation: pl.DataFrame, *, users: Vocabulary, items: Vocabulary) -> pl.DataFrame:
    """Who took an item before the request that train does not know: if it gets a vector, it is seen all the same."""
    unknown = validation.select(USER_ID, ITEM_ID).unique().filter(~pl.col(ITEM_ID).is_in(items.ids.implode()))
    placed = unknown.join(users.frame(id_column=USER_ID, idx_column=USER_IDX), on=USER_ID)
    return placed.select(pl.col(USER_IDX).cast(pl.Int64), ITEM_ID).sort(USER_IDX, ITEM_ID)
