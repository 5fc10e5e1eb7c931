import numpy as np

from recsys.retrieval.nearest import Neighbours, recall_against


def _lists(item_idx, score):
    return Neighbours(item_idx=np.array(item_idx, np.int32), score=np.array(score, np.float32))


_EXACT = _lists([[1, 2, 3]], [[0.9, 0.8, 0.7]])


def test_recall_of_the_exact_list_is_one():
    assert recall_against(_EXACT, _EXACT) == 1.0


def test_recall_is_the_share_of_places_filled_as_well():
    assert recall_against(_lists([[1, 3, 9]], [[0.9, 0.7, 0.1]]), _EXACT) == 2 / 3


def test_a_tie_at_the_end_is_no_error():
    assert recall_against(_lists([[1, 2, 7]], [[0.9, 0.8, 0.7]]), _EXACT) == 1.0


def test_empty_places_of_the_exact_list_are_not_asked_for():
    exact = _lists([[1, -1, -1], [1, 2, 3]], [[0.9, -np.inf, -np.inf], [0.9, 0.8, 0.7]])
    found = _lists([[1, -1, -1], [1, -1, -1]], [[0.9, -np.inf, -np.inf], [0.9, -np.inf, -np.inf]])
    assert recall_against(found, exact) == 2 / 4


def test_places_are_counted_over_all_rows():
    exact = _lists([[1, 2], [3, 4]], [[0.9, 0.8], [0.6, 0.5]])
    found = _lists([[1, 2], [9, 8]], [[0.9, 0.8], [0.2, 0.1]])
    assert recall_against(found, exact) == 0.5
