import numpy as np
import pytest

from recsys.baselines.families import families
from recsys.baselines.fitted import read_user_items, write_fitted, write_user_items
from recsys.candidates.sources.baseline import baseline
from recsys.candidates.sources.source import Opened, Request
from recsys.core.errors import ArtefactError
from recsys.index.exact import ExactIndex
from tests.baselines.conftest import data_of_rows


@pytest.fixture
def fitted(tmp_path):
    """Item-kNN of 30 users and 12 items on file, and the ranker itself."""
    rng = np.random.default_rng(0)
    data = data_of_rows(
        [(user, item, 1) for user in range(30) for item in range(12) if item == user % 12 or rng.random() < 0.4], n_items=12
    )
    ranker = families(n_items=12, seed=0)["item_knn"].build(data, {"new": {"weighting": "bm25", "half_life": None}})["new"]
    write_fitted(tmp_path / "item_knn", ranker.fitted)
    write_user_items(tmp_path, data.taken)
    return ranker


@pytest.fixture
def opened(fitted, tmp_path, unit_vectors):
    items = unit_vectors(14, 4)
    return Opened(
        index=ExactIndex(items),
        items=items,
        users=tmp_path / "users.npy",
        orders={},
        fitted=tmp_path,
        taken=read_user_items(tmp_path),
    )


@pytest.mark.parametrize("keeps_seen", [False, True])
def test_lists_are_those_of_the_baseline_also_where_items_were_added_since(fitted, opened, seen_of, keeps_seen):
    users, allowed = np.array([7, 3, 29]), np.arange(14) % 3 > 0
    wanted = fitted.rank(users, 12, keeps_seen, allowed[:12])
    found = baseline("item_knn")(opened).find(
        Request(user_idx=users, k=14, seen=seen_of([[]] * 3), allowed=allowed, keeps_seen=keeps_seen)
    )
    assert found.item_idx[:, :12].tolist() == wanted.item_idx.tolist()
    np.testing.assert_allclose(found.score[:, :12], wanted.score, rtol=1e-6)
    assert (found.item_idx[:, 12:] == -1).all() and found.item_idx.shape == (3, 14)


def test_a_baseline_that_is_not_on_file_is_refused(fitted, opened):
    with pytest.raises(ArtefactError, match="the baseline ease must be on file to be a source"):
        baseline("ease")(opened)
