import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.candidates.fusion import fuse
from recsys.index.nearest import Neighbours


def _lists(rows):
    item_idx = np.array(rows, np.int32)
    return Neighbours(item_idx=item_idx, score=np.where(item_idx < 0, -np.inf, 1.0).astype(np.float32))


def _scores(sources, row):
    scores = {}
    for lists in sources:
        for rank, item in enumerate(lists[row], start=1):
            if item >= 0:
                scores[item] = scores.get(item, 0) + 1 / (60 + rank)
    return scores


_ROW = st.lists(st.integers(0, 14), unique=True, min_size=6, max_size=6)


@settings(deadline=None, max_examples=60)
@given(data=st.data(), k=st.integers(1, 12))
def test_items_are_ranked_by_the_sum_of_their_reciprocal_ranks(data, k):
    sources = [data.draw(st.lists(_ROW, min_size=2, max_size=2)) for _ in range(3)]
    found = fuse([_lists(rows) for rows in sources], k=k, quotas=[0, 0, 0])
    for row in range(2):
        scores = _scores(sources, row)
        ranked = sorted(scores, key=lambda item: (-scores[item], item))[:k]
        assert found.lists.item_idx[row].tolist() == ranked + [-1] * (k - len(ranked))
        np.testing.assert_allclose(found.lists.score[row][: len(ranked)], [scores[i] for i in ranked], rtol=1e-6)


@settings(deadline=None, max_examples=60)
@given(data=st.data(), quota=st.integers(0, 4))
def test_a_quota_is_filled_with_the_best_of_its_source(data, quota):
    sources = [data.draw(st.lists(_ROW, min_size=2, max_size=2)) for _ in range(3)]
    found = fuse([_lists(rows) for rows in sources], k=6, quotas=[0, 0, quota])
    for row in range(2):
        listed = found.lists.item_idx[row].tolist()
        assert set(sources[2][row][:quota]) <= set(listed)
        assert len(set(listed)) == 6
        assert (np.diff(found.lists.score[row]) <= 0).all()


def test_the_source_is_the_one_that_ranked_the_item_highest():
    found = fuse([_lists([[1, 2, 3]]), _lists([[3, 2, 4]])], k=4, quotas=[0, 0])
    by = dict(zip(found.lists.item_idx[0].tolist(), found.source[0].tolist(), strict=True))
    assert by == {1: 0, 2: 0, 3: 1, 4: 1}


def test_empty_ranks_come_from_nowhere():
    found = fuse([_lists([[1, -1], [-1, -1]]), _lists([[1, -1], [-1, -1]])], k=2, quotas=[0, 0])
    assert found.lists.item_idx.tolist() == [[1, -1], [-1, -1]]
    assert found.source.tolist() == [[0, -1], [-1, -1]]
    assert found.lists.score[0, 0] == pytest.approx(2 / 61)
