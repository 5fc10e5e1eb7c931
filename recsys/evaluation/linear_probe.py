"""What can be read off vectors by a line: how well a linear classifier tells attributes that it was not given."""

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler

_N_FOLDS, _FEWEST, _MOST_ROUNDS = 5, 25, 300


def probe(vectors: NDArray[np.float32], labels: Sequence[Sequence[str]], *, seed: int) -> dict[str, float]:
    """Area under the ROC curve of each label, out of fold.

    Args:
        vectors: Shape (N, D), a row a thing.
        labels: The labels of each thing; there may be several, or none.
        seed: Of the folds.

    Returns:
        By label, in [0, 1], 0.5 by chance; labels of fewer than 25 things, or that fewer than 25 lack, are left out.

    Source: linear evaluation as in Chen et al., "SimCLR", arXiv:2002.05709, section 2.3, here with 5 folds.
    """
    names = sorted({label for own in labels for label in own})
    found = {}
    for name in names:
        has = np.array([name in own for own in labels])
        if _FEWEST <= has.sum() <= len(has) - _FEWEST:
            found[name] = _area(vectors, has, seed=seed)
    return found


def macro(areas: dict[str, float]) -> float | None:
    """The mean over labels; None without any."""
    return float(np.mean(list(areas.values()))) if areas else None


def _area(vectors: NDArray[np.float32], has: NDArray[np.bool_], *, seed: int) -> float:
    scores = np.zeros(len(has))
    for train, test in StratifiedKFold(_N_FOLDS, shuffle=True, random_state=seed).split(vectors, has):
        scaler = StandardScaler().fit(vectors[train])
        model = LogisticRegression(C=0.1, max_iter=_MOST_ROUNDS, class_weight="balanced")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(scaler.transform(vectors[train]), has[train])
        scores[test] = model.decision_function(scaler.transform(vectors[test]))
    return float(roc_auc_score(has, scores))
