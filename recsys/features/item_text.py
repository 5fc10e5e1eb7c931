"""What is written about items: one text a column, and all of it."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recsys.core.columns import ITEM_ID
from recsys.data.schema import category_columns, number_columns, text_columns
from recsys.data.vocabulary import Vocabulary
from recsys.features.sentence_encoder import SentenceEncoder
from recsys.features.text_encoder import TextEncoder, fit_text_encoder

ALL = "*"
_MOST_NUMBERS = 256


def fit_item_text(table: pl.DataFrame | None, *, vocabulary: Vocabulary, text_dim: int, seed: int) -> NDArray[np.float32]:
    """Encode all text columns of the items that train knows, as a feature of the item tower.

    Args:
        table: Items; None, or without text, gives an array without columns.
        vocabulary: The items of train, in order.
        text_dim: Size of the vectors; fewer if there are fewer words.
        seed: For the randomised SVD.

    Returns:
        Shape (I, T) float32 with unit rows; a row without any known word is 0.
    """
    columns = [] if table is None else text_columns(table)
    if table is None or not columns or text_dim == 0:
        return np.zeros((len(vocabulary), 0), np.float32)
    joined = pl.DataFrame({ITEM_ID: vocabulary.ids}).join(table, on=ITEM_ID, how="left", maintain_order="left")
    texts = joined.select(pl.concat_str(columns, separator=" ", ignore_nulls=True).fill_null("")).to_series().to_list()
    encoder = fit_text_encoder(texts, dim=text_dim, seed=seed, min_items=2)
    return encoder.encode(texts)


def search_texts(table: pl.DataFrame, *, columns: Sequence[str] | None = None) -> dict[str, list[str]]:
    """The texts that items are searched by: each column of texts, categories or whole numbers, and first all of them together.

    Args:
        table: Items.
        columns: Those that were found in the items of train; None to find them.

    Returns:
        One list of texts a column, in the order of the table; a missing value is an empty text. `ALL` alone, and empty, where
        the table has no such column.
    """
    words = [pl.col(name).fill_null("") for name in text_columns(table)]
    words += [pl.col(name).list.join(" ").fill_null("").alias(name) for name in category_columns(table)]
    words += [_as_word(name) for name in number_columns(table) if columns is not None or _is_whole(table[name])]
    if columns is not None:
        words = [word for word in words if word.meta.output_name() in columns]
    shown = table.select(words) if words else pl.DataFrame()
    if not words:
        return {ALL: [""] * table.height}
    together = shown.select(pl.concat_str(pl.all(), separator=" ").str.strip_chars().alias(ALL))
    return {name: column.to_list() for name, column in {ALL: together[ALL], **shown.to_dict()}.items()}


def _is_whole(values: pl.Series) -> bool:
    """Whether a column's numbers are words, as years are: whole, and not as many as there are items."""
    known = values.filter(values.is_finite())
    return bool((known == known.round()).all()) and 0 < known.n_unique() <= _MOST_NUMBERS


def _as_word(name: str) -> pl.Expr:
    whole = pl.when(pl.col(name).is_finite()).then(pl.col(name))
    return whole.cast(pl.Int64, strict=False).cast(pl.String).fill_null("").alias(name)


def encode_search_texts(encoder: TextEncoder | SentenceEncoder, texts: Mapping[str, Sequence[str]]) -> NDArray[np.float32]:
    """Encode the texts of items.

    Args:
        encoder: Fitted on the texts of train items, or frozen.
        texts: C columns, each with a text an item.

    Returns:
        Shape (I, C, T) float32 with unit or zero rows.
    """
    n_items = len(next(iter(texts.values())))
    vectors = np.empty((n_items, len(texts), encoder.dim), np.float32)
    for number, column in enumerate(texts.values()):
        vectors[:, number] = encoder.encode(column)
    return vectors
