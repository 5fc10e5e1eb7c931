"""Data of baselines from plain matrices and lists of events."""

import numpy as np
import polars as pl
import pytest

from recsys.baselines.ranking import Ranker
from recsys.baselines.train_matrix import BaselineData, UserItems, build_baseline_data
from recsys.data.schema import TIME


def data_of_rows(rows, *, n_items):
    """From (user, item, second) rows; users and items are numbers, and every item of a catalogue of n is known."""
    # A last user has every item, and is cut off again: the vocabulary shall not hang on the rows.
    table = [(f"u{user:05d}", f"i{item:05d}", second) for user, item, second in rows]
    table += [("z", f"i{item:05d}", 0) for item in range(n_items)]
    frame = pl.DataFrame(table, schema={"user_id": pl.String, "item_id": pl.String, "s": pl.Int64}, orient="row")
    log = frame.select("user_id", "item_id", timestamp=(pl.col("s") * 1_000_000).cast(TIME))
    log = log.sort("user_id", "timestamp", maintain_order=True)
    return _without_last(build_baseline_data(log, log.clear()))


@pytest.fixture
def data_of_events():
    """See `data_of_rows`."""
    return data_of_rows


def _without_last(data: BaselineData) -> BaselineData:
    n = len(data.users) - 1
    end = data.offsets[n]
    return BaselineData(
        users=type(data.users)(ids=data.users.ids.head(n)),
        items=data.items,
        taken=UserItems(history=data.taken.history[:n], age=data.taken.age[:n]),
        item_idx=data.item_idx[:end],
        time=data.time[:end],
        offsets=data.offsets[: n + 1],
    )


@pytest.fixture
def data_of(data_of_events):
    """From a matrix of 0 and 1: each user's items are taken one second after the other, in order of item idx."""

    def build(history):
        history = np.asarray(history)
        rows = [
            (user, item, position)
            for user in range(len(history))
            for position, item in enumerate(np.flatnonzero(history[user]))
        ]
        return data_of_events(rows, n_items=history.shape[1])

    return build


@pytest.fixture
def random_train():
    """A 0/1 matrix of 40 users and 12 items in which everyone has something, and so has every item."""
    train = np.random.default_rng(5).random((40, 12)) < np.linspace(0.1, 0.6, 12)
    train[np.arange(12), np.arange(12)] = True
    train[np.arange(40), np.arange(40) % 12] = True
    return train.astype(np.float32)


@pytest.fixture
def scores_of():
    """The scores that a ranker of all items gives, shape (B, I), read off lists of the whole catalogue."""

    def read(ranker: Ranker, user_idx, *, n_items):
        found = ranker.rank(np.asarray(user_idx), n_items, True)
        scores = np.full((len(user_idx), n_items), -np.inf)
        row, column = np.nonzero(found.item_idx >= 0)
        scores[row, found.item_idx[row, column]] = found.score[row, column]
        return scores

    return read
