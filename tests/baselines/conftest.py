"""Training data of baselines from plain matrices."""

import numpy as np
import polars as pl
import pytest
from scipy.sparse import csr_matrix

from recsys.baselines.train_matrix import BaselineData
from recsys.data.vocabulary import Vocabulary


@pytest.fixture
def data_of():
    """From a train matrix of 0 and 1, a history matrix (train if left out) and (item, microseconds) events."""

    def build(train, *, history=None, item_times=None):
        train = np.asarray(train, np.float32)
        history = train if history is None else np.asarray(history, np.float32)
        n_users, n_items = history.shape
        return BaselineData(
            users=Vocabulary(ids=pl.Series([f"u{place:05d}" for place in range(n_users)])),
            items=Vocabulary(ids=pl.Series([f"i{place:05d}" for place in range(n_items)])),
            train=csr_matrix(train),
            history=csr_matrix(history),
            item_times=np.zeros((1, 2), np.int64) if item_times is None else np.array(item_times, np.int64),
        )

    return build


@pytest.fixture
def random_train():
    """A 0/1 matrix of 40 users and 12 items in which everyone has something, and so has every item."""
    train = np.random.default_rng(5).random((40, 12)) < np.linspace(0.1, 0.6, 12)
    train[np.arange(12), np.arange(12)] = True
    return train.astype(np.float32)
