from datetime import UTC, datetime

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


def test_train_is_1_where_the_user_has_the_item_however_often(data):
    assert data.train.toarray().tolist() == [[0, 0, 0], [0, 0, 1], [1, 1, 0]]


def test_history_adds_validation_events_on_items_of_train(data):
    assert data.history.toarray().tolist() == [[1, 0, 0], [1, 0, 1], [1, 1, 0]]


def test_every_train_event_is_there_with_its_time(data):
    assert sorted(data.item_times.tolist()) == [[0, 2_000_000], [1, 1_000_000], [1, 3_000_000], [2, 4_000_000]]


def test_rows_are_the_sorted_users_with_a_history_on_items_of_train(data):
    assert data.users.ids.to_list() == ["fresh", "u0", "u1"]
    assert data.items.ids.to_list() == ["a", "b", "c"]
