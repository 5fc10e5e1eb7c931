from dataclasses import replace

import numpy as np
import pytest

from recsys.inference.embedding import embed_items, embed_users
from recsys.training.validation import choose_validation_users, validate
from tests import oracles


@pytest.fixture
def model(world, build_towers):
    return build_towers(n_items=len(world.items), n_users=len(world.users))


def test_the_value_is_mean_ndcg_of_full_rankings_without_seen_items(world, model, cpu):
    histories = world.histories
    users = choose_validation_users(histories, at_most=1000, seed=0)
    queries = embed_users(model, histories, users, held_out="validation", batch_tokens=512, **cpu)
    scores = queries.astype(np.float64) @ embed_items(model, **cpu).astype(np.float64).T
    wanted = []
    for user, row in zip(users, scores, strict=True):
        begin, middle, end = histories.offsets[user], histories.train_end[user], histories.offsets[user + 1]
        seen = set(histories.item_idx[begin:middle].tolist())
        ranked = [item for item in np.argsort(-row).tolist() if item not in seen]
        wanted.append(oracles.ndcg(ranked, set(histories.item_idx[middle:end].tolist()), 10))
    assert len(users) > 30
    assert validate(model, histories, users, batch_tokens=512, **cpu) == pytest.approx(np.mean(wanted), abs=1e-9)


def test_nobody_to_validate_on_is_none(world, model, cpu):
    assert validate(model, world.histories, np.zeros(0, np.int64), batch_tokens=512, **cpu) is None


def test_nobody_with_a_new_item_is_none_and_users_without_a_hit_are_zero(world, model, cpu):
    users = choose_validation_users(world.histories, at_most=1, seed=0)
    first, middle = world.histories.offsets[users[0]], world.histories.train_end[users[0]]
    repeated, missed = world.histories.item_idx.copy(), world.histories.item_idx.copy()
    repeated[middle] = repeated[first]
    assert validate(model, replace(world.histories, item_idx=repeated), users, batch_tokens=512, **cpu) is None
    queries = embed_users(model, world.histories, users, held_out="validation", batch_tokens=512, **cpu)
    scores = (queries @ embed_items(model, **cpu).T)[0]
    missed[middle] = min(set(range(len(scores))) - set(missed[first:middle].tolist()), key=lambda item: scores[item])
    assert validate(model, replace(world.histories, item_idx=missed), users, batch_tokens=512, **cpu) == 0.0


def test_only_users_with_validation_events_are_chosen(world):
    users = choose_validation_users(world.histories, at_most=1000, seed=0)
    n_held_out = world.histories.offsets[1:] - world.histories.train_end
    assert users.tolist() == np.flatnonzero(n_held_out > 0).tolist()


def test_a_limit_chooses_at_random_sorted_and_hangs_on_the_seed(world):
    everyone = choose_validation_users(world.histories, at_most=1000, seed=0).tolist()
    first, again, other = (choose_validation_users(world.histories, at_most=10, seed=seed).tolist() for seed in (0, 0, 1))
    assert first == again == sorted(set(first))
    assert len(first) == 10
    assert set(first) <= set(everyone)
    assert first != other
