from itertools import groupby

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.sampling.moments import positions_after, positions_before, shuffle_within

_ROW = st.lists(st.integers(0, 4), min_size=1, max_size=9).map(lambda row: np.array([sorted(row)]))


@settings(deadline=None)
@given(_ROW)
def test_positions_before_and_after_a_moment_are_those_counted_one_by_one(row: np.ndarray) -> None:
    moments = row[0].tolist()
    before = [max((p for p, other in enumerate(moments) if other < own), default=-1) for own in moments]
    after = [min((p for p, other in enumerate(moments) if other > own), default=len(moments)) for own in moments]
    assert positions_before(row)[0].tolist() == before
    assert positions_after(row)[0].tolist() == after


@settings(deadline=None)
@given(_ROW, st.integers(0, 9))
def test_an_order_of_moments_moves_no_event_out_of_its_moment(row: np.ndarray, seed: int) -> None:
    positions = shuffle_within(row, rng=np.random.default_rng(seed))[0]
    assert sorted(positions.tolist()) == list(range(row.shape[1]))
    assert row[0][positions].tolist() == row[0].tolist()


def test_each_order_of_a_moment_is_as_likely() -> None:
    rng, moments = np.random.default_rng(0), np.tile(np.array([[0, 1, 1, 1, 2]]), (6_000, 1))
    drawn = sorted(map(tuple, shuffle_within(moments, rng=rng)[:, 1:4].tolist()))
    counts = [len(list(same)) for _, same in groupby(drawn)]
    assert len(counts) == 6
    assert min(counts) > 880 and max(counts) < 1_120
