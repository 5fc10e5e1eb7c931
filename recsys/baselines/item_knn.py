"""Item k-nearest neighbours by cosine of the users who have them."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack
from sklearn.preprocessing import normalize

from recsys.baselines.ranking import ScoreBlock, Scores
from recsys.baselines.train_matrix import BaselineData

_BLOCK = 1024


def item_knn_scores(data: BaselineData, *, n_neighbours: int, shrinkage: float) -> ScoreBlock:
    """An item scores the sum of its similarity to the items of the user's history.

    Args:
        data: Similarities are fitted on train, and applied to the history.
        n_neighbours: Most similar items kept for each item; all that are as similar as the last of them stay too.
        shrinkage: Similarity is multiplied by c / (c + shrinkage) for c common users.

    Source: Sarwar et al., "Item-based Collaborative Filtering", WWW 2001, section 3.1.1; shrinkage: Koren, KDD 2008, eq. 2.
    """
    similarity = _similarity(data.train, n_neighbours, shrinkage)

    def score(user_idx: NDArray[np.int64]) -> Scores:
        scores: Scores = (data.history[user_idx] @ similarity).toarray()
        return scores

    return score


def _similarity(train: csr_matrix, n_neighbours: int, shrinkage: float) -> csr_matrix:
    """Shape (I, I), column j holds item j's neighbours."""
    unit = normalize(train.T.tocsr(), axis=1)
    plain = train.T.tocsr()
    rows = []
    for begin in range(0, unit.shape[0], _BLOCK):
        cosine = (unit[begin : begin + _BLOCK] @ unit.T).toarray()
        common = (plain[begin : begin + _BLOCK] @ plain.T).toarray()
        cosine *= common / (common + shrinkage) if shrinkage else 1
        place = np.arange(len(cosine))
        cosine[place, begin + place] = 0
        kept = min(n_neighbours, cosine.shape[1])
        bound = -np.partition(-cosine, kept - 1, axis=1)[:, kept - 1 : kept]
        rows.append(csr_matrix(np.where(cosine >= bound, cosine, 0)))
    return vstack(rows).T.tocsr()
