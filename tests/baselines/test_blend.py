import numpy as np
import pytest

from recsys.baselines.blend import blend_lists, blend_ranker, fit_weights
from recsys.baselines.ranking import Ranker
from recsys.index.nearest import Neighbours


def _lists(*rows):
    width = max(map(len, rows))
    item_idx = np.array([[*row, *[-1] * (width - len(row))] for row in rows], np.int32)
    return Neighbours(item_idx=item_idx, score=np.where(item_idx < 0, -np.inf, 9 - np.arange(width)).astype(np.float32))


def _scored(items, scores):
    return Neighbours(item_idx=np.array([items], np.int32), score=np.array([scores], np.float32))


def test_one_source_alone_keeps_its_order():
    lists = _lists([4, 2, 7], [1, 0])
    found = blend_lists([lists, _lists([9], [9])], [0.3, 0.0], n_items=10, k=3).lists
    assert found.item_idx.tolist() == lists.item_idx.tolist()


def test_what_both_sources_name_comes_before_what_one_of_them_names():
    found = blend_lists([_lists([0, 1, 2]), _lists([3, 1, 4])], [1.0, 1.0], n_items=5, k=5).lists
    assert found.item_idx[0, 0] == 1
    assert found.item_idx[0].tolist() == [1, 0, 3, 2, 4]
    assert (np.diff(found.score[0]) <= 0).all()


def test_a_heavier_source_decides():
    first, second = _lists([0, 1, 2]), _lists([3, 4, 5])
    assert blend_lists([first, second], [1.0, 0.1], n_items=6, k=3).lists.item_idx[0].tolist()[:2] == [0, 1]
    assert blend_lists([first, second], [0.1, 1.0], n_items=6, k=3).lists.item_idx[0].tolist()[:2] == [3, 4]


def test_what_only_fills_a_list_stays_behind_all_that_another_source_has_to_say():
    filled = Neighbours(item_idx=np.array([[0, 5, 6]], np.int32), score=np.array([[0.7, -0.1, -0.2]], np.float32))
    found = blend_lists([filled, _scored([1, 2, 3], [9.0, 1.0, 0.5])], [1.0, 0.1], n_items=7, k=6)
    assert found.lists.item_idx[0].tolist() == [0, 1, 2, 3, 5, 6]


def test_scales_of_scores_do_not_matter_and_their_shape_does():
    flat, steep = [9.0, 8.9, 8.8], [9.0, 1.0, 0.5]
    other = _scored([3, 4, 5], [1.0, 0.9, 0.1])
    for scale in (1, 1000):
        lists = [_scored([0, 1, 2], [scale * score for score in flat]), other]
        assert blend_lists(lists, [1.0, 1.0], n_items=6, k=6).lists.item_idx[0].tolist()[:4] == [0, 3, 1, 4]
    lists = [_scored([0, 1, 2], steep), other]
    assert blend_lists(lists, [1.0, 1.0], n_items=6, k=6).lists.item_idx[0].tolist()[:4] == [0, 3, 4, 1]


def test_each_item_is_of_the_source_that_gave_it_most():
    found = blend_lists([_lists([0, 1]), _lists([2, 3]), _lists([2, 0])], [1.0, 0.9, 0.2], n_items=4, k=5)
    assert found.lists.item_idx[0].tolist() == [0, 2, 1, 3, -1]
    assert found.source[0].tolist() == [0, 1, 0, 1, -1]


def test_short_and_empty_lists_are_blended_too():
    found = blend_lists([_lists([], [5]), _lists([1], [])], [1.0, 1.0], n_items=6, k=2).lists
    assert found.item_idx.tolist() == [[1, -1], [5, -1]]


def test_weights_never_judge_worse_than_the_best_source_and_find_what_two_know_together():
    left, right, noise = _lists([0, 1, 5], [0, 1, 5]), _lists([2, 1, 6], [2, 1, 6]), _lists([3, 4, 7], [3, 4, 7])

    def judge(found):
        return float((found.item_idx[:, 0] == 1).mean()) + 0.1 * float((found.item_idx[:, 0] == 0).mean())

    weights = fit_weights({"left": left, "right": right, "noise": noise}, judge, n_items=8, k=2)
    assert weights["left"] and weights["right"] and not weights["noise"]
    assert judge(blend_lists([left, right], [weights["left"], weights["right"]], n_items=8, k=2).lists) == pytest.approx(1.0)


def test_the_ranker_blends_the_lists_of_its_sources():
    lists = {"a": _lists([0, 1, 2]), "b": _lists([3, 1, 4]), "c": _lists([4, 4, 4])}
    rankers = {
        name: Ranker(rank=lambda users, k, keeps, allowed=None, found=found: found, rows=position + 7)
        for position, (name, found) in enumerate(lists.items())
    }
    blended = blend_ranker(rankers, {"a": 1.0, "b": 1.0, "c": 0.0}, n_items=5)
    assert blended.rows == 7
    assert blended.rank(np.array([0]), 5, False).item_idx[0].tolist() == [1, 0, 3, 2, 4]
