"""Similarity is the cosine of co-occurrence in train, and nothing behind `train_end` has a say."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.augmentation.similar_items import SimilarItems, fit_similar_items
from recsys.sampling.batches import Histories


def _histories(lists, *, n_held_out=0):
    offsets = np.concatenate([[0], np.cumsum([len(items) for items in lists])]).astype(np.int64)
    items = np.concatenate([np.array(items, np.int32) for items in lists])
    unknown = np.full(len(lists), -1, np.int64)
    return Histories(
        item_idx=items,
        timestamp=np.zeros(len(items), np.int64),
        offsets=offsets,
        train_end=np.maximum(offsets[1:] - n_held_out, offsets[:-1]),
        validation_time=unknown,
        request_time=unknown,
    )


def _written_out(lists, *, n_items, window):
    together = np.zeros((n_items, n_items))
    for items in lists:
        for position, one in enumerate(items):
            for other in items[position + 1 : position + 1 + window]:
                if one != other:
                    together[one, other] += 1
                    together[other, one] += 1
    total = together.sum(1)
    return together / np.sqrt(np.maximum(np.outer(total, total), 1))


@settings(deadline=None, max_examples=40)
@given(st.lists(st.lists(st.integers(0, 6), max_size=8), min_size=1, max_size=5), st.integers(1, 4))
def test_neighbours_are_those_of_the_sum_written_out(lists, window):
    found = fit_similar_items(_histories(lists), n_items=7, n_neighbours=6, window=window)
    cosine = _written_out(lists, n_items=7, window=window)
    for item in range(7):
        known = found[item][found[item] >= 0]
        assert set(known) == set(np.flatnonzero(cosine[item]))
        assert (np.diff(cosine[item][known]) <= 1e-12).all()


def test_chunks_change_nothing():
    rng = np.random.default_rng(0)
    histories = _histories([rng.integers(0, 20, 30).tolist() for _ in range(9)])
    whole = fit_similar_items(histories, n_items=20, n_neighbours=4, window=5)
    parts = fit_similar_items(histories, n_items=20, n_neighbours=4, window=5, chunk_events=7)
    np.testing.assert_array_equal(parts, whole)


def test_held_out_events_have_no_say():
    histories = _histories([[0, 1, 2, 3], [0, 1, 4, 5]], n_held_out=2)
    found = fit_similar_items(histories, n_items=6, n_neighbours=3, window=5)
    assert found[0].tolist() == [1, -1, -1] and (found[2:] == -1).all()
    changed = replace(histories, item_idx=np.array([0, 1, 5, 5, 0, 1, 2, 3], np.int32))
    np.testing.assert_array_equal(fit_similar_items(changed, n_items=6, n_neighbours=3, window=5), found)


def test_each_neighbour_is_as_likely_as_another():
    similar = SimilarItems(torch.tensor([[1, 2, -1], [-1, -1, -1], [0, -1, -1]]))
    drawn = similar.draw(torch.zeros(4_000, dtype=torch.int64), torch.Generator().manual_seed(0))
    assert set(drawn.tolist()) == {1, 2} and abs(int((drawn == 1).sum()) - 2_000) < 200
    assert similar.has_any(torch.tensor([[0, 1, 2, -1]])).tolist() == [[True, False, True, False]]


@pytest.mark.parametrize("lists", [[[]], [[3]], [[2, 2]]])
def test_histories_without_pairs_have_no_similar_items(lists):
    assert (fit_similar_items(_histories(lists), n_items=4, n_neighbours=2, window=5) == -1).all()
