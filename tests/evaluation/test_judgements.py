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


def test_of_very_many_users_a_sample_is_judged_and_its_own_ceiling_told():
    users = [f"u{number:02d}" for number in range(60)]
    train = pl.DataFrame({"user_id": users, "item_id": ["a"] * 60})
    test = pl.DataFrame({"user_id": users, "item_id": ["b"] * 30 + ["c"] * 30})
    train = pl.concat([train, pl.DataFrame({"user_id": ["x"], "item_id": ["b"]})])
    judged = build_judgements(train, train.clear(), test, most_users=20, seed=1)
    assert judged.n_relevant.height == judged.pairs.height == 20 and judged.n_left_out == 40
    assert judged.pairs["user_id"].is_sorted() and judged.n_relevant["user_id"].to_list() == judged.pairs["user_id"].to_list()
    assert judged.ceiling == (judged.pairs["item_id"] == "b").mean() and judged.n_missing == 20 * (1 - judged.ceiling)
    assert build_judgements(train, train.clear(), test, most_users=60, seed=1).n_left_out == 0
    other = build_judgements(train, train.clear(), test, most_users=20, seed=2)
    assert other.pairs["user_id"].to_list() != judged.pairs["user_id"].to_list()
