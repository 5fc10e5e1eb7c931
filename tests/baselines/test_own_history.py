import numpy as np
import pytest

from recsys.baselines.own_history import fit_own_history, own_history_ranker


def test_frequency_counts_every_event_alike(data_of_events):
    data = data_of_events([(0, 1, 0), (0, 2, 1), (0, 1, 2), (1, 0, 0)], n_items=3)
    assert fit_own_history(data, half_life=None).toarray().tolist() == [[0, 2, 1], [1, 0, 0]]


@pytest.mark.parametrize("half_life", [0.5, 2.0])
def test_an_event_counts_half_after_so_many_later_ones_and_a_basket_counts_alike(data_of_events, half_life):
    data = data_of_events([(0, 1, 0), (0, 2, 5), (0, 3, 5), (0, 1, 9)], n_items=4)
    found = fit_own_history(data, half_life=half_life).toarray()[0]
    half = 0.5 ** (1 / half_life)
    assert found.tolist() == pytest.approx([0, 1 + half**3, half, half])


def test_own_items_come_first_and_popular_ones_behind_them(data_of_events):
    data = data_of_events([(0, 1, 0), (0, 2, 1), (0, 1, 2), (1, 0, 0), (1, 3, 1), (2, 3, 0)], n_items=4)
    ranker = own_history_ranker(data, fit_own_history(data, half_life=None))
    assert ranker.rank(np.array([0]), 4, True).item_idx.tolist() == [[1, 2, 3, 0]]
    assert ranker.rank(np.array([0]), 4, False).item_idx.tolist() == [[3, 0, -1, -1]]
