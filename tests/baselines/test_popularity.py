import numpy as np

from recsys.baselines.popularity import popularity_scores, recent_popularity_scores
from recsys.baselines.ranking import same_for_all_ranker

_DAY = 86_400


def _scores(data_of_events, events, *, n_items, days):
    data = data_of_events([(position, item, second) for position, (item, second) in enumerate(events)], n_items=n_items)
    return recent_popularity_scores(data, window_days=days)


def test_a_score_is_the_number_of_users(data_of):
    assert popularity_scores(data_of([[1, 0, 1], [1, 0, 0], [1, 1, 0]])).tolist() == [3, 1, 1]


def test_recent_events_outweigh_any_number_of_old_ones(data_of_events):
    events = [(0, 0)] * 50 + [(1, 99 * _DAY), (2, 100 * _DAY), (2, 100 * _DAY)]
    assert _scores(data_of_events, events, n_items=3, days=7).argsort().tolist() == [0, 1, 2]


def test_older_popularity_breaks_ties(data_of_events):
    scores = _scores(data_of_events, [(0, 100 * _DAY), (1, 100 * _DAY), (1, 0)], n_items=2, days=7)
    assert scores[1] > scores[0]


def test_the_window_ends_at_the_last_event_and_begins_behind_its_start(data_of_events):
    scores = _scores(data_of_events, [(0, 100 * _DAY), (1, 98 * _DAY), (2, 98 * _DAY + 1)], n_items=3, days=2)
    assert np.floor(scores).tolist() == [1, 0, 1]


def test_ties_of_recent_counts_are_broken_in_the_lists_of_a_large_log(data_of_events):
    recent = [(item, 1000 * _DAY) for item in (0, 1) for _ in range(64)]
    events = recent + [(2, 0)] * 3_000 + [(1, 0)] * 2
    data = data_of_events([(position, item, second) for position, (item, second) in enumerate(events)], n_items=3)
    ranker = same_for_all_ranker(data.taken, recent_popularity_scores(data, window_days=7))
    assert ranker.rank(np.array([0]), 3, True).item_idx.tolist() == [[1, 0, 2]]
