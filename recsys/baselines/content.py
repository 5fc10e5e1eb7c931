"""What texts alone can say of items, be they new or not."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

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


def similar_popularity(counts: NDArray[np.integer], *, texts: Texts, cold: Texts, n_neighbours: int) -> NDArray[np.float64]:
    """How popular the items with the most similar texts are, weighted by their cosine; the same for all users.

    Args:
        counts: Shape (I,), train events.
        texts: Shape (I, T), unit rows.
        cold: Shape (C, T), unit rows, of the items that are scored.
        n_neighbours: How many similar items count.

    Returns:
        Shape (C,).
    """
    popularity, kept = np.zeros(len(cold)), min(n_neighbours, len(texts))
    block = max(1, _BLOCK_SCORES // len(texts))
    for begin in range(0, len(cold), block):
        rows = slice(begin, begin + block)
        cosine = np.maximum(cold[rows] @ texts.T, 0)
        nearest = np.argpartition(-cosine, kept - 1, axis=1)[:, :kept]
        weight = np.take_along_axis(cosine, nearest, axis=1)
        popularity[rows] = (weight * counts[nearest]).sum(1) / np.maximum(weight.sum(1), 1e-12)
    return popularity
