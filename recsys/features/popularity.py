"""How often each item occurs in train: the log-Q of sampled softmax."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recsys.core.columns import COUNT, ITEM_ID
from recsys.data.vocabulary import Vocabulary


def count_items(train: pl.DataFrame, *, items: Vocabulary) -> NDArray[np.int64]:
    """Training events of each item, by idx. Shape (I,)."""
    counts = train.group_by(ITEM_ID).len(name=COUNT)
    ids = pl.DataFrame({ITEM_ID: items.ids})
    joined = ids.join(counts, on=ITEM_ID, how="left", maintain_order="left")
    return joined[COUNT].fill_null(0).cast(pl.Int64).to_numpy()


def log_q(counts: NDArray[np.int64]) -> NDArray[np.float32]:
    """Log of each item's share of all events: the chance that one in-batch negative is this item.

    Args:
        counts: Shape (I,), each at least 1.

    Source: Yi et al., "Sampling-Bias-Corrected Neural Modeling", RecSys 2019, eq. 4.

    >>> [round(float(value), 3) for value in log_q(np.array([1, 3]))]
    [-1.386, -0.288]
    """
    return np.asarray(np.log(np.maximum(counts, 1)) - np.log(counts.sum()), np.float32)
