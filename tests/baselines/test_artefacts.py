import numpy as np
import polars as pl

from recsys.baselines.artefacts import next_in_order_ranker, next_row_ranker, order_of_ids
from recsys.data.vocabulary import fit_vocabulary


def test_the_items_behind_the_last_one_come_in_order_and_around_the_end(data_of_events):
    data = data_of_events([(0, 4, 0), (0, 1, 1), (1, 3, 0)], n_items=5)
    found = next_in_order_ranker(data, np.arange(5)).rank(np.array([0, 1]), 3, False)
    assert found.item_idx.tolist() == [[2, 3, 0], [4, 0, 1]]
    backwards = next_in_order_ranker(data, np.arange(5)[::-1]).rank(np.array([0]), 2, False)
    assert backwards.item_idx.tolist() == [[0, 3]]


def test_ids_that_are_numbers_are_sorted_as_numbers(data_of_events):
    from dataclasses import replace

    data = data_of_events([(0, 0, 0)], n_items=3)
    numbers = replace(data, items=fit_vocabulary(pl.Series(["9", "10", "100"])))
    assert numbers.items.ids.gather(order_of_ids(numbers)).to_list() == ["9", "10", "100"]
    words = replace(data, items=fit_vocabulary(pl.Series(["b", "a9", "a10"])))
    assert words.items.ids.gather(order_of_ids(words)).to_list() == ["a10", "a9", "b"]


def test_the_next_rows_are_those_that_stand_below_the_last_item_among_rows_of_one_time(data_of_events):
    rows = [
        (0, 1, 5),
        (0, 2, 5),
        (0, 4, 5),
        (1, 1, 5),
        (1, 2, 5),
        (2, 1, 5),
        (2, 3, 5),
        (3, 1, 1),
        (3, 0, 2),
        (4, 0, 1),
        (4, 1, 2),
    ]
    data = data_of_events(rows, n_items=5)
    below = next_row_ranker(data).rank(np.array([4]), 3, False).item_idx[0].tolist()
    assert below[:2] == [2, 3]  # 0 stands below 1 at another time only
    above = next_row_ranker(data, is_backwards=True).rank(np.array([0]), 2, True).item_idx[0].tolist()
    assert above[0] == 2


def test_without_ties_the_next_rows_are_the_popular_items(data_of_events):
    data = data_of_events([(0, 1, 1), (0, 2, 2), (1, 2, 1), (2, 0, 1)], n_items=3)
    assert next_row_ranker(data).rank(np.array([2]), 2, False).item_idx.tolist() == [[2, 1]]
