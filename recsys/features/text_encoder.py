"""Texts as dense vectors: TF-IDF, then truncated SVD (latent semantic analysis). Fitted once, saved, no downloads.

scikit-learn takes seconds to load, so it is loaded where texts are encoded and not where settings are read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recsys.core.errors import ArtefactError
from recsys.core.files import read_array, read_json, write_array, write_json
from recsys.features.sentence_encoder import SentenceEncoder, is_sentence_encoder

_MOST_WORDS, _BLOCK = 50_000, 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class TextEncoder:
    """A fitted encoder; a word that it was not fitted on has no say.

    Attributes:
        words: V words, in the order of their columns.
        idf: Shape (V,) float32, how much a word weighs.
        components: Shape (T, V) float32, the singular vectors.
    """

    words: Sequence[str]
    idf: NDArray[np.float32]
    components: NDArray[np.float32]

    @property
    def dim(self) -> int:
        """T."""
        return len(self.components)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Shape (N, T) float32 with unit rows; a text without any known word is 0."""
        if not texts or not self.dim:
            return np.zeros((len(texts), self.dim), np.float32)
        from sklearn.feature_extraction.text import TfidfVectorizer

        vectorizer = TfidfVectorizer(sublinear_tf=True, vocabulary={word: column for column, word in enumerate(self.words)})
        vectorizer.idf_ = self.idf.astype(np.float64)
        vectors = np.empty((len(texts), self.dim), np.float32)
        for begin in range(0, len(texts), _BLOCK):
            rows = slice(begin, begin + _BLOCK)
            vectors[rows] = _unit(vectorizer.transform(texts[rows]) @ self.components.T.astype(np.float64))
        return vectors

    def write(self, folder: Path) -> None:
        """Write it as `words.json`, `idf.npy` and `components.npy`."""
        write_json(folder / "words.json", list(self.words))
        write_array(folder / "idf.npy", self.idf)
        write_array(folder / "components.npy", self.components)


def read_text_encoder(folder: Path) -> TextEncoder | SentenceEncoder:
    """Read what the `write` of an encoder wrote.

    Raises:
        ArtefactError: A file is missing or does not fit the others.
    """
    if is_sentence_encoder(folder):
        return SentenceEncoder()
    words, idf, components = (
        read_json(folder / "words.json"),
        read_array(folder / "idf.npy"),
        read_array(folder / "components.npy"),
    )
    if not isinstance(words, list) or idf.shape != (len(words),) or components.shape[1:] != (len(words),):
        raise ArtefactError(
            f"{folder} must hold one weight and one column a word, got {len(words)} words, {idf.shape} and {components.shape}; "
            "run the stage pairs again"
        )
    return TextEncoder(words=words, idf=np.array(idf), components=np.array(components))


def fit_text_encoder(texts: Sequence[str], *, dim: int, seed: int, min_items: int) -> TextEncoder:
    """Fit on the texts of train items.

    Args:
        texts: One an item.
        dim: T; fewer if there are fewer words or texts, and 0 fits nothing.
        seed: For the randomised SVD.
        min_items: Words of fewer texts are left out.

    Returns:
        An encoder, of 0 dimensions if no word is left.

    Source: Deerwester et al., "Indexing by Latent Semantic Analysis", JASIS 1990.
    """
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(sublinear_tf=True, min_df=min_items, max_features=_MOST_WORDS)
    nothing = TextEncoder(words=[], idf=np.zeros(0, np.float32), components=np.zeros((0, 0), np.float32))
    try:
        counts = vectorizer.fit_transform(texts)
    except ValueError:  # no word occurs often enough
        return nothing
    size = min(dim, counts.shape[1] - 1, counts.shape[0] - 1)
    if size < 1:
        return nothing
    with np.errstate(divide="ignore", invalid="ignore"):  # the share of variance is 0/0 where all texts are alike
        svd = TruncatedSVD(size, random_state=seed % 2**32).fit(counts)
    return TextEncoder(
        words=vectorizer.get_feature_names_out().tolist(),
        idf=vectorizer.idf_.astype(np.float32),
        components=svd.components_.astype(np.float32),
    )


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float32]:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.where(length > 1e-9, vectors / np.maximum(length, 1e-9), 0).astype(np.float32)
