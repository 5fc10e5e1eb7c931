"""What texts alone can say of items, be they new or not."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack

from recsys.baselines.ranking import ScoreBlock, Scores

Texts = NDArray[np.float32]
_BLOCK_SCORES = 2 * 10**7


def content_knn_scores(history: csr_matrix, *, texts: Texts, scored: Texts) -> ScoreBlock:
    """An item scores the cosine of its text and the mean text of the user's history.

    Args:
        history: Shape (U, I), what users have taken.
        texts: Shape (I, T), unit rows.
        scored: Shape (C, T), unit rows, of the items that are scored.

    Source: content-based profiles: Pazzani & Billsus, "Content-Based Recommendation Systems", 2007, section 10.3.
    """

    def score(user_idx: NDArray[np.int64]) -> Scores:
        profile = history[user_idx] @ texts
        length = np.linalg.norm(profile, axis=1, keepdims=True)
        scores: Scores = (profile / np.maximum(length, 1e-12)) @ scored.T
        return scores

    return score


def similar_popularity(counts: NDArray[np.integer], *, nearest: csr_matrix) -> NDArray[np.float64]:
    """How popular the items with the most similar texts are; the same for all users.

    Args:
        counts: Shape (I,), train events.
        nearest: Shape (C, I), as `nearest_texts` gives it.

    Returns:
        Shape (C,).
    """
    return np.asarray(nearest @ counts.astype(np.float64), np.float64)


def carried_over(scores: csr_matrix, *, nearest: csr_matrix) -> Scores:
    """What an item without events scores: the mean of what items with similar texts score.

    Args:
        scores: Shape (B, I), of items with events.
        nearest: Shape (C, I), as `nearest_texts` gives it.

    Returns:
        Shape (B, C).
    """
    found: Scores = (scores @ nearest.T).toarray()
    return found


def nearest_texts(*, texts: Texts, cold: Texts, n_neighbours: int) -> csr_matrix:
    """The items with the most similar texts, by their cosines.

    Args:
        texts: Shape (I, T), unit rows.
        cold: Shape (C, T), unit rows, of the items that neighbours are looked for.
        n_neighbours: How many.

    Returns:
        Shape (C, I); rows sum to 1, or to 0 where nothing is similar.
    """
    kept, block = min(n_neighbours, len(texts)), max(1, _BLOCK_SCORES // len(texts))
    rows = [csr_matrix((0, len(texts)), dtype=np.float64)]
    for begin in range(0, len(cold), block):
        cosine = np.maximum(cold[begin : begin + block] @ texts.T, 0)
        nearest = np.argpartition(-cosine, kept - 1, axis=1)[:, :kept]
        weight = np.take_along_axis(cosine, nearest, axis=1).astype(np.float64)
        weight /= np.maximum(weight.sum(1, keepdims=True), 1e-12)
        indptr = np.arange(0, nearest.size + 1, kept)
        rows.append(csr_matrix((weight.ravel(), nearest.ravel(), indptr), shape=(len(nearest), len(texts))))
    return vstack(rows, format="csr")
