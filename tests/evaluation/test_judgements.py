import polars as pl
import pytest

from recsys.evaluation.judgements import build_judgements


def _log(rows):
    return pl.DataFrame(rows, schema={"user_id": pl.String, "item_id": pl.String}, orient="row")


_TRAIN = [("u1", "a"), ("u1", "b"), ("u2", "c")]
_VALIDATION = [("u1", "c"), ("u2", "new")]


@pytest.fixture
def judge():
    return lambda test: build_judgements(_log(_TRAIN), _log(_VALIDATION), _log(test))


def test_relevant_are_the_test_items_that_are_new_to_the_user(judge):
    judged = judge([("u2", "b"), ("u2", "a"), ("u2", "c"), ("u1", "c"), ("u1", "a")])
    assert judged.pairs.rows() == [("u2", "a"), ("u2", "b")]
    assert judged.n_relevant.rows() == [("u2", 2)]
    assert judged.n_repeats == 3


def test_an_item_bought_twice_counts_once(judge):
    assert judge([("u2", "a"), ("u2", "a")]).n_relevant.rows() == [("u2", 1)]


def test_users_unknown_to_train_are_not_judged(judge):
    judged = judge([("stranger", "a"), ("u2", "b")])
    assert judged.pairs.rows() == [("u2", "b")]
    assert judged.n_repeats == 0


def test_items_unknown_to_train_count_as_relevant_and_lower_the_ceiling(judge):
    judged = judge([("u2", "a"), ("u2", "b"), ("u2", "never seen"), ("u1", "new")])
    assert ("u2", "never seen") in judged.pairs.rows()
    assert judged.ceiling == 0.5
    assert judged.n_missing == 2


def test_nobody_to_judge_is_an_empty_table(judge):
    judged = judge([("u1", "a")])
    assert judged.pairs.is_empty()
    assert judged.ceiling == 0.0
