import numpy as np

from recsys.baselines.ranking import rank_same_for_all
from recsys.baselines.recent_popularity import recent_popularity_scores

_DAY = 86_400_000_000


def test_recent_events_outweigh_any_number_of_old_ones(data_of):
    events = [(0, 0)] * 50 + [(1, 99 * _DAY), (2, 100 * _DAY), (2, 100 * _DAY)]
    scores = recent_popularity_scores(data_of(np.zeros((1, 3)), item_times=events), window_days=7)
    assert scores.argsort().tolist() == [0, 1, 2]


def test_older_popularity_breaks_ties(data_of):
    events = [(0, 100 * _DAY), (1, 100 * _DAY), (1, 0)]
    scores = recent_popularity_scores(data_of(np.zeros((1, 2)), item_times=events), window_days=7)
    assert scores[1] > scores[0]


def test_the_window_ends_at_the_last_train_event_and_begins_behind_its_start(data_of):
    events = [(0, 100 * _DAY), (1, 98 * _DAY), (2, 98 * _DAY + 1)]
    scores = recent_popularity_scores(data_of(np.zeros((1, 3)), item_times=events), window_days=2)
    assert np.floor(scores).tolist() == [1, 0, 1]


def test_older_popularity_breaks_ties_in_the_lists_of_a_large_log(data_of):
    recent = [(item, 1000 * _DAY) for item in (0, 1) for _ in range(128)]
    old = [(2, 0)] * 300_000 + [(1, 0)] * 2
    data = data_of(np.zeros((1, 3)), item_times=recent + old)
    _, found = next(rank_same_for_all(data, recent_popularity_scores(data, window_days=7), k=3))
    assert found.item_idx[0].tolist() == [1, 0, 2]
