from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from recsys.baselines.choose import choose, choose_judged
from recsys.baselines.facts import BASELINES
from recsys.baselines.families import families
from recsys.baselines.train_matrix import build_baseline_data


def _log(rows):
    schema = {"user_id": pl.String, "item_id": pl.String, "timestamp": pl.Datetime("us", "UTC")}
    moments = [(user, item, datetime.fromtimestamp(second, UTC)) for user, item, second in rows]
    return pl.DataFrame(moments, schema=schema, orient="row").sort("user_id", "timestamp", maintain_order=True)


@pytest.fixture(scope="module")
def chain():
    """Item n + 1 always follows item n; each user starts elsewhere. The last event is validation."""
    rows = [
        (f"u{user:02}", f"i{(user * 7 + position) % 30:02}", 100 * user + position)
        for user in range(60)
        for position in range(9)
    ]
    log = _log(rows)
    is_last = pl.int_range(pl.len()).over("user_id") == 8
    train, validation = log.filter(~is_last), log.filter(is_last)
    return build_baseline_data(train, train.clear()), validation


@pytest.mark.parametrize("name", [name for name in BASELINES if name != "blend"])
def test_the_best_variant_on_validation_is_taken_and_can_be_built_again(chain, name):
    data, validation = chain
    judged = choose_judged(data, validation, at_most=1000, seed=0)
    family = families(n_items=30, seed=0)[name]
    choice = choose(family, data, {"new": judged})["new"]
    assert len(choice.tried) == len(family.fits) * len(family.ranks)
    assert choice.ndcg == max(value for _, value in choice.tried)
    again = judged.lists(family.build(data, {"new": choice.variant})["new"], k=20)
    assert judged.ndcg(again) == pytest.approx(choice.ndcg)
    assert np.array_equal(choice.lists.item_idx[:, :20], again.item_idx)


def test_where_one_item_always_follows_another_co_visitation_finds_it_and_popularity_does_not(chain):
    data, validation = chain
    judged = choose_judged(data, validation, at_most=1000, seed=0)
    found = {
        name: choose(families(n_items=30, seed=0)[name], data, {"new": judged})["new"].ndcg
        for name in ("popularity", "co_visitation")
    }
    assert found["co_visitation"] == pytest.approx(1.0)
    assert found["popularity"] < 0.5


def test_without_validation_the_first_variant_is_taken(chain):
    data, validation = chain
    assert choose_judged(data, validation.clear(), at_most=9, seed=0) is None
    choice = choose(families(n_items=30, seed=0)["ease"], data, {"new": None})["new"]
    assert (dict(choice.variant), choice.ndcg) == ({"regularisation": 200.0, "half_life": None}, None)


def test_repeats_strangers_and_unknown_items_are_not_judged():
    train = _log([("u", "a", 1), ("u", "b", 2), ("v", "c", 1), ("w", "a", 3)])
    validation = _log([("u", "a", 5), ("u", "c", 6), ("v", "new", 7), ("x", "a", 8), ("w", "b", 9), ("w", "c", 9)])
    judged = choose_judged(build_baseline_data(train, train.clear()), validation, at_most=9, seed=0)
    assert judged.user_idx.tolist() == [0, 2]
    assert list(zip(judged.row.tolist(), judged.item.tolist(), strict=True)) == [(0, 2), (1, 1), (1, 2)]


def test_a_sample_of_users_is_drawn_by_the_seed(chain):
    data, validation = chain
    first, again, other = (choose_judged(data, validation, at_most=7, seed=seed).user_idx.tolist() for seed in (1, 1, 2))
    assert first == again != other
    assert len(first) == 7


def test_two_scopes_are_chosen_apart_and_a_fit_they_share_is_done_once(chain):
    data, validation = chain
    users = {scope: choose_judged(data, validation, at_most=99, seed=0, keeps_seen=scope == "all") for scope in ("new", "all")}
    fits = []
    family = replace(families(n_items=30, seed=0)["item_knn"])
    counted = replace(family, fit=lambda data, **fit: fits.append(fit) or family.fit(data, **fit))
    found = choose(counted, data, users)
    assert len(fits) == len(family.fits)
    for scope in users:
        assert found[scope].ndcg == choose(family, data, {scope: users[scope]})[scope].ndcg
    fits.clear()
    same = dict.fromkeys(users, found["new"].variant)
    assert set(counted.build(data, same)) == {"new", "all"} and len(fits) == 1
