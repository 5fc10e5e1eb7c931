import numpy as np

from recsys.baselines.ranking import rank_unseen
from recsys.baselines.recent_popularity import recent_popularity_scores

_DAY = 86_400_000_000


def test_recent_events_outweigh_any_number_of_old_ones(data_of):
    events = [(0, 0)] * 50 + [(1, 99 * _DAY), (2, 100 * _DAY), (2, 100 * _DAY)]
    scores = recent_popularity_scores(data_of(np.zeros((1, 3)), item_times=events), window_days=7)(np.array([0]))[0]
    assert scores.argsort().tolist() == [0, 1, 2]


def test_older_popularity_breaks_ties(data_of):
    events = [(0, 100 * _DAY), (1, 100 * _DAY), (1, 0)]
    scores = recent_popularity_scores(data_of(np.zeros((1, 2)), item_times=events), window_days=7)(np.array([0]))[0]
    assert scores[1] > scores[0]


def test_the_window_ends_at_the_last_train_event_and_begins_behind_its_start(data_of):
    events = [(0, 100 * _DAY), (1, 98 * _DAY), (2, 98 * _DAY + 1)]
    scores = recent_popularity_scores(data_of(np.zeros((1, 3)), item_times=events), window_days=2)(np.array([0]))[0]
    assert np.floor(scores).tolist() == [1, 0, 1]


def test_everyone_gets_the_same_scores(data_of):
    scores = recent_popularity_scores(data_of(np.zeros((3, 2)), item_times=[(0, 5), (1, 6)]), window_days=1)(np.arange(3))
    assert (scores == scores[0]).all()


def test_older_popularity_breaks_ties_in_the_lists_of_a_large_log(data_of):
    recent = [(item, 1000 * _DAY) for item in (0, 1) for _ in range(128)]
    old = [(2, 0)] * 300_000 + [(1, 0)] * 2
    data = data_of(np.zeros((1, 3)), item_times=recent + old)
    _, found = next(rank_unseen(data, recent_popularity_scores(data, window_days=7), k=3))
    assert found.item_idx[0].tolist() == [1, 0, 2]
