"""Text of items as dense vectors: TF-IDF, then truncated SVD (latent semantic analysis). No downloads."""

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from recsys.core.columns import ITEM_ID
from recsys.data.schema import text_columns
from recsys.data.vocabulary import Vocabulary


def fit_item_text(table: pl.DataFrame | None, *, vocabulary: Vocabulary, text_dim: int, seed: int) -> NDArray[np.float32]:
    """Encode all text columns of the items that train knows.

    Args:
        table: Items; None, or without text, gives an array without columns.
        vocabulary: The items of train, in order.
        text_dim: Size of the vectors; fewer if there are fewer words.
        seed: For the randomised SVD.

    Returns:
        Shape (I, T) float32 with unit rows; a row without any known word is 0.

    Source: Deerwester et al., "Indexing by Latent Semantic Analysis", JASIS 1990.
    """
    columns = [] if table is None else text_columns(table)
    ids = pl.DataFrame({ITEM_ID: vocabulary.ids})
    nothing = np.zeros((len(vocabulary), 0), np.float32)
    if table is None or not columns or text_dim == 0:
        return nothing
    joined = ids.join(table, on=ITEM_ID, how="left", maintain_order="left")
    texts = joined.select(pl.concat_str(columns, separator=" ", ignore_nulls=True).fill_null("")).to_series()
    try:
        words = TfidfVectorizer(sublinear_tf=True, min_df=2, max_features=50_000).fit_transform(texts.to_list())
    except ValueError:  # no word occurs twice
        return nothing
    size = min(text_dim, words.shape[1] - 1, words.shape[0] - 1)
    if size < 1:
        return nothing
    with np.errstate(divide="ignore", invalid="ignore"):  # the share of variance is 0/0 where all texts are alike
        vectors = TruncatedSVD(size, random_state=seed % 2**32).fit_transform(words)
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.where(length > 0, vectors / np.maximum(length, 1e-12), 0).astype(np.float32)
