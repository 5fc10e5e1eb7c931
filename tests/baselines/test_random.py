import numpy as np

from recsys.baselines.random import random_ranker


def test_a_user_gets_the_same_list_in_any_block(data_of, random_train):
    rank = random_ranker(data_of(random_train), seed=0).rank
    assert np.array_equal(rank(np.arange(40), 5, True).item_idx[[5, 9]], rank(np.array([5, 9]), 5, True).item_idx)


def test_users_and_seeds_differ(data_of, random_train):
    data = data_of(random_train)
    first, second = random_ranker(data, seed=0).rank(np.array([0, 1]), 12, True).item_idx
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, random_ranker(data, seed=1).rank(np.array([0]), 12, True).item_idx[0])


def test_every_item_is_as_likely_to_come_first(data_of):
    found = random_ranker(data_of(np.ones((4000, 4))), seed=0).rank(np.arange(4000), 1, True)
    first = np.bincount(found.item_idx[:, 0], minlength=4)
    # Five standard errors of a count of 1000.
    assert np.abs(first - 1000).max() < 5 * np.sqrt(4000 * 0.25 * 0.75)
