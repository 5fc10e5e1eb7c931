from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from recsys.baselines.train_matrix import build_baseline_data


def _log(rows):
    schema = {"user_id": pl.String, "item_id": pl.String, "timestamp": pl.Datetime("us", "UTC")}
    moments = [(user, item, datetime.fromtimestamp(second, UTC)) for user, item, second in rows]
    return pl.DataFrame(moments, schema=schema, orient="row")


@pytest.fixture
def data():
    train = _log([("u1", "b", 1), ("u1", "a", 2), ("u1", "b", 3), ("u0", "c", 4)])
    validation = _log([("u0", "a", 5), ("u0", "new", 6), ("fresh", "a", 7), ("stranger", "new", 7), ("u1", "a", 8)])
    return build_baseline_data(train, validation)


def test_the_history_is_1_where_the_user_has_the_item_however_often_and_has_no_item_that_train_lacks(data):
    assert data.taken.history.toarray().tolist() == [[1, 0, 0], [1, 0, 1], [1, 1, 0]]


def test_every_event_before_the_request_is_there_in_order_with_its_time(data):
    assert data.offsets.tolist() == [0, 1, 3, 7]
    assert data.item_idx.tolist() == [0, 2, 0, 1, 0, 1, 0]
    assert (data.time // 1_000_000).tolist() == [7, 4, 5, 1, 2, 3, 8]


def test_rows_are_the_sorted_users_with_a_history_on_items_of_train(data):
    assert data.users.ids.to_list() == ["fresh", "u0", "u1"]
    assert data.items.ids.to_list() == ["a", "b", "c"]


def test_popularity_counts_users(data):
    assert data.taken.popularity().tolist() == [3, 1, 1]


def test_an_item_is_as_old_as_the_events_behind_its_last_one(data):
    assert data.taken.age.toarray().tolist() == [[0, 0, 0], [0, 0, 1], [0, 1, 0]]
    assert data.taken.age.nnz == data.taken.history.nnz == 5


def test_events_of_one_moment_are_equally_old():
    data = build_baseline_data(log := _log([("u", "a", 1), ("u", "b", 2), ("u", "c", 2), ("u", "d", 3)]), log.clear())
    assert data.taken.age.toarray().tolist() == [[3, 1, 1, 0]]


@pytest.mark.parametrize("half_life", [0.5, 1.0, 4.0])
def test_weights_halve_with_each_half_life(data, half_life):
    weights = data.taken.weights(half_life).toarray()
    assert weights[1].tolist() == pytest.approx([1.0, 0.0, 0.5 ** (1 / half_life)])
    assert np.array_equal(data.taken.weights(None).toarray(), data.taken.history.toarray())
