"""Is a difference more than chance, and would one of so many be so by chance? Randomisation test and Holm's correction."""

from collections.abc import Mapping

import numpy as np

from recsys.core.random import rng_for
from recsys.evaluation.intervals import Values

_BLOCK_SIGNS = 1 << 24


def sign_flip_p_values(differences: Mapping[str, Values], *, n_resamples: int, seed: int) -> dict[str, float]:
    """Two-sided p-values of paired differences: how often chance signs give a mean as far from 0.

    Args:
        differences: Name to values of shape (U,), one model minus another.
        n_resamples: Random signs; no p-value is below 1 / (n_resamples + 1).
        seed: The same seed draws the same signs.

    Source: Smucker, Allan & Carterette, "A Comparison of Statistical Significance Tests for Information Retrieval Evaluation",
        CIKM 2007, section 3.1.
    """
    table = np.stack(list(differences.values()), axis=1)  # (U, M)
    least = np.abs(table.sum(0)) * (1 - 1e-9)
    rng, n_users = rng_for(seed, "sign flips"), len(table)
    block, as_far = max(1, _BLOCK_SIGNS // n_users), np.zeros(table.shape[1])
    for begin in range(0, n_resamples, block):
        n = min(block, n_resamples - begin)
        signs = rng.integers(0, 2, (n, n_users), dtype=np.int8).astype(np.float64) * 2 - 1
        as_far += (np.abs(signs @ table) >= least).sum(0)
    return dict(zip(differences, ((as_far + 1) / (n_resamples + 1)).tolist(), strict=True))


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """P-values that may be held against one level together, however many there are.

    Args:
        p_values: Of each comparison.

    >>> holm({"a": 0.01, "b": 0.04, "c": 0.03})
    {'a': 0.03, 'b': 0.06, 'c': 0.06}

    Source: Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of Statistics 1979.
    """
    order = sorted(p_values, key=lambda name: p_values[name])
    adjusted, highest = dict[str, float](), 0.0
    for rank, name in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - rank) * p_values[name]))
        adjusted[name] = highest
    return {name: adjusted[name] for name in p_values}
