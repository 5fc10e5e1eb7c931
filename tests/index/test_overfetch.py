import numpy as np
import pytest

from recsys.index.exact import ExactIndex
from recsys.index.overfetch import Overfetch

_N = 400


@pytest.fixture
def items(unit_vectors):
    return unit_vectors(_N, 8)


@pytest.fixture
def queries(unit_vectors):
    return unit_vectors(30, 8, seed=1)


@pytest.fixture
def overfetch(items, request):
    """Over a search that is right as far as it goes, and notes how far it was asked to go."""
    asked, settings = [], getattr(request, "param", {})

    def find(queries, wanted):
        asked.append(wanted.copy())
        exact = ExactIndex(items).search(queries, k=int(wanted.max()))
        beyond = np.arange(exact.item_idx.shape[1])[None, :] >= wanted[:, None]
        return np.where(beyond, -1, exact.item_idx)

    return Overfetch(items, find, **settings), asked


@pytest.mark.parametrize("share", [0.02, 0.09, 0.11, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("n_seen", [0, 40, 395])
def test_filtered_answers_are_those_of_exact_search(overfetch, items, queries, seen_of, share, n_seen):
    rng = np.random.default_rng(0)
    allowed = None if share == 1 else rng.random(_N) < share
    seen = seen_of([rng.choice(_N, n_seen, replace=False).tolist() for _ in range(30)])
    found = overfetch[0].search(queries, k=10, seen=seen, allowed=allowed)
    exact = ExactIndex(items).search(queries, k=10, seen=seen, allowed=allowed)
    assert found.item_idx.tolist() == exact.item_idx.tolist()
    np.testing.assert_allclose(found.score, exact.score, atol=1e-6)


def test_without_a_filter_no_more_is_fetched_than_asked(overfetch, queries):
    overfetch[0].search(queries, k=10, seen=None, allowed=None)
    assert [wanted.max() for wanted in overfetch[1]] == [10]


def test_a_narrow_filter_does_not_ask_the_index_at_all(overfetch, queries):
    overfetch[0].search(queries, k=10, seen=None, allowed=np.arange(_N) < 20)
    assert overfetch[1] == []


def test_a_wide_filter_asks_for_more_in_proportion_and_again_only_for_short_lists(overfetch, queries):
    allowed = np.random.default_rng(0).random(_N) < 0.5
    overfetch[0].search(queries, k=10, seen=None, allowed=allowed)
    assert 20 < overfetch[1][0].max() < 30
    assert sum(len(wanted) for wanted in overfetch[1][1:]) < 30


@pytest.mark.parametrize("overfetch", [{"block_numbers": 8 * 15 * 10}], indirect=True, ids=[""])
def test_one_heavy_user_does_not_widen_the_others(overfetch, queries, seen_of):
    seen = seen_of([list(range(300))] + [[row] for row in range(29)])
    found = overfetch[0].search(queries, k=10, seen=seen, allowed=None)
    assert (found.item_idx >= 0).all()
    widths = sorted(int(wanted.max()) for wanted in overfetch[1])
    assert widths[-1] == 310
    assert widths[-2] == 11
    assert max(len(wanted) for wanted in overfetch[1]) <= 15
