import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.core.errors import DataError
from recsys.evaluation.judgements import build_judgements
from recsys.evaluation.score import list_counts, score_candidates
from tests import oracles

_N_USERS, _N_ITEMS = 12, 15
_ORACLES = {
    "hr": oracles.hit_rate,
    "recall": oracles.recall,
    "precision": oracles.precision,
    "ndcg": oracles.ndcg,
    "mrr": oracles.reciprocal_rank,
    "map": oracles.average_precision,
}


def _frame(rows, *, ranked=False):
    schema = {"user_id": pl.String, "item_id": pl.String} | ({"rank": pl.Int32} if ranked else {})
    return pl.DataFrame(rows, schema=schema, orient="row")


@pytest.fixture
def lists():
    """Random lists of 3 to 8 items by user."""
    rng = np.random.default_rng(0)
    return {f"u{user:02d}": [f"i{item:02d}" for item in rng.permutation(_N_ITEMS)[: rng.integers(3, 9)]] for user in range(12)}


@pytest.fixture
def candidates(lists):
    rows = [(user, item, rank) for user, items in lists.items() for rank, item in enumerate(items, start=1)]
    return _frame(rows, ranked=True).sample(fraction=1, shuffle=True, seed=1).lazy()


@pytest.fixture
def relevant():
    """One to five relevant items a user, one of them unknown to train."""
    rng = np.random.default_rng(1)
    chosen = {f"u{user:02d}": rng.choice(_N_ITEMS, rng.integers(1, 6), replace=False) for user in range(_N_USERS)}
    return {user: {f"i{item:02d}" for item in items} for user, items in chosen.items()} | {"u03": {"i01", "unknown"}}


@pytest.fixture
def judgements(relevant):
    train = _frame([(user, "bought before") for user in relevant])
    test = _frame([(user, item) for user, items in relevant.items() for item in sorted(items)])
    return build_judgements(train, train.clear(), test)


@pytest.fixture
def catalogue():
    counts = np.arange(1, _N_ITEMS + 1)
    return pl.DataFrame({"item_id": [f"i{item:02d}" for item in range(_N_ITEMS)], "count": counts})


def _score(candidates, judgements, catalogue, *, ks=(1, 5)):
    return score_candidates(candidates, judgements, catalogue, ks=ks, name="model")


def test_every_metric_of_every_user_is_that_of_the_loops(candidates, judgements, catalogue, lists, relevant):
    scored = _score(candidates, judgements, catalogue)
    for name, oracle in _ORACLES.items():
        for k in (1, 5):
            wanted = [oracle(lists[user], relevant[user], k) for user in sorted(relevant)]
            np.testing.assert_allclose(scored.per_user[f"{name}@{k}"], wanted, atol=1e-12)


def test_lists_are_rows_of_the_catalogue(candidates, judgements, catalogue, lists):
    scored = _score(candidates, judgements, catalogue)
    assert scored.item_idx.shape == (_N_USERS, 5)
    wanted = ([int(item[1:]) for item in lists["u04"]] + [-1] * 5)[:5]
    assert scored.item_idx[4].tolist() == wanted


def test_a_judged_user_without_a_list_scores_zero(candidates, judgements, catalogue):
    scored = _score(candidates.filter(pl.col("user_id") != "u05"), judgements, catalogue)
    assert len(scored.n_relevant) == _N_USERS
    assert all(values[5] == 0 for name, values in scored.per_user.items())


def test_users_who_are_not_judged_change_nothing(candidates, judgements, catalogue):
    more = pl.concat([candidates, _frame([("stranger", "i01", 1)], ranked=True).lazy()])
    assert np.array_equal(_score(more, judgements, catalogue).hits, _score(candidates, judgements, catalogue).hits)


@pytest.mark.parametrize("double", [("u00", "i14", 1), "item"])
def test_a_rank_or_an_item_twice_in_a_list_is_refused(candidates, judgements, catalogue, lists, double):
    row = ("u00", lists["u00"][0], 9) if double == "item" else double
    twice = pl.concat([candidates, _frame([row], ranked=True).lazy()])
    with pytest.raises(DataError, match="each rank and item once"):
        _score(twice, judgements, catalogue, ks=(10,))


def test_nobody_to_judge_is_refused(candidates, judgements, catalogue):
    train = judgements.pairs
    with pytest.raises(DataError, match="some user must have a test item"):
        _score(candidates, build_judgements(train, train, train), catalogue)


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.lists(st.integers(-1, 5), min_size=4, max_size=4), min_size=1, max_size=6),
    st.integers(1, 5),
    st.integers(0, 100),
)
def test_list_counts_with_weights_are_those_of_repeated_users(rows, k, seed):
    item_idx = np.array(rows)
    weight = np.random.default_rng(seed).integers(0, 4, len(rows))
    repeated = list_counts(np.repeat(item_idx, weight, axis=0), n_items=6, k=k)
    assert list_counts(item_idx, n_items=6, k=k, weight=weight).tolist() == repeated.tolist()
    wanted = [sum(row[:k].count(item) for row in rows) for item in range(6)]
    assert list_counts(item_idx, n_items=6, k=k).tolist() == wanted
