import numpy as np

from recsys.baselines.random import random_scores


def test_a_user_gets_the_same_scores_in_any_block(data_of, random_train):
    score = random_scores(data_of(random_train), seed=0)
    assert np.array_equal(score(np.arange(40))[[5, 9]], score(np.array([5, 9])))


def test_users_and_seeds_differ(data_of, random_train):
    data = data_of(random_train)
    first, second = random_scores(data, seed=0)(np.array([0, 1]))
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, random_scores(data, seed=1)(np.array([0]))[0])


def test_every_item_is_as_likely_to_come_first(data_of):
    score = random_scores(data_of(np.ones((4000, 4))), seed=0)
    first = np.bincount(score(np.arange(4000)).argmax(1), minlength=4)
    # Five standard errors of a count of 1000.
    assert np.abs(first - 1000).max() < 5 * np.sqrt(4000 * 0.25 * 0.75)
