import numpy as np
import pytest

from recsys.core.errors import DataError, IndexQualityError
from recsys.index.nearest import Found, Neighbours, check_list_length, check_vectors, recall_against


def _lists(item_idx, score):
    return Neighbours(item_idx=np.array(item_idx, np.int32), score=np.array(score, np.float32))


_EXACT = _lists([[1, 2, 3]], [[0.9, 0.8, 0.7]])


def test_recall_of_the_exact_list_is_one():
    assert recall_against(_EXACT, _EXACT) == 1.0


def test_recall_is_the_share_of_ranks_filled_as_well():
    assert recall_against(_lists([[1, 3, 9]], [[0.9, 0.7, 0.1]]), _EXACT) == 2 / 3


def test_a_tie_at_the_end_is_no_error():
    assert recall_against(_lists([[1, 2, 7]], [[0.9, 0.8, 0.7]]), _EXACT) == 1.0


def test_empty_ranks_of_the_exact_list_are_not_asked_for():
    exact = _lists([[1, -1, -1], [1, 2, 3]], [[0.9, -np.inf, -np.inf], [0.9, 0.8, 0.7]])
    found = _lists([[1, -1, -1], [1, -1, -1]], [[0.9, -np.inf, -np.inf], [0.9, -np.inf, -np.inf]])
    assert recall_against(found, exact) == 2 / 4


def test_ranks_are_counted_over_all_rows():
    exact = _lists([[1, 2], [3, 4]], [[0.9, 0.8], [0.6, 0.5]])
    found = _lists([[1, 2], [9, 8]], [[0.9, 0.8], [0.2, 0.1]])
    assert recall_against(found, exact) == 0.5


@pytest.mark.parametrize("factor", [0.0, 0.99, 1.01])
def test_a_score_by_cosine_needs_vectors_of_length_1(unit_vectors, factor):
    items = unit_vectors(30, 8)
    items[17] *= np.float32(factor)
    with pytest.raises(IndexQualityError, match="must have length 1"):
        check_vectors(items, score="cosine")
    check_vectors(items, score="dot")


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("score", ["cosine", "dot"])
def test_vectors_that_are_no_numbers_are_refused(unit_vectors, value, score):
    items = unit_vectors(30, 8)
    items[3, 2] = value
    with pytest.raises(IndexQualityError, match="must be finite"):
        check_vectors(items, score=score)


def test_rounding_of_float16_is_close_enough_to_length_1(unit_vectors):
    check_vectors(unit_vectors(300, 8).astype(np.float16).astype(np.float32), score="cosine")


def test_lists_of_one_source_name_it_wherever_there_is_an_item():
    assert Found.of_one(_lists([[4, -1]], [[0.5, -np.inf]])).source.tolist() == [[0, -1]]


def test_empty_lists_hold_nothing():
    empty = Neighbours.empty(2, 3)
    assert empty.item_idx.tolist() == [[-1] * 3] * 2
    assert np.isneginf(empty.score).all()


@pytest.mark.parametrize(
    ("k", "sentence"), [(0, "at least 1, got 0"), (-3, "got -3"), (2.5, "got 2.5"), (8, "at most the catalogue of 7")]
)
def test_a_list_has_a_length_that_the_catalogue_has(k, sentence):
    check_list_length(np.int64(7), n_items=7, name="recommend")
    with pytest.raises(DataError, match=f"recommend: k must be .*{sentence}"):
        check_list_length(k, n_items=7, name="recommend")
