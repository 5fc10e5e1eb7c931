import json

import numpy as np
import pytest

from recsys.baselines.families import families
from recsys.baselines.fitted import read_fitted, read_user_items, write_fitted, write_user_items
from recsys.baselines.ranking import rank_by
from recsys.core.errors import ArtefactError

ON_FILE = ("popularity", "recent_popularity", "item_knn", "co_visitation", "ease", "als", "own_history")


@pytest.mark.parametrize("name", ON_FILE)
def test_a_baseline_from_file_gives_the_lists_of_the_one_that_was_fitted(tmp_path, data_of, random_train, name):
    data, family = data_of(random_train), families(n_items=12, als_dim=4, seed=0)[name]
    variant = {**family.fits[-1], **family.ranks[-1]}
    ranker = family.build(data, {"new": variant})["new"]
    write_fitted(tmp_path / "model", ranker.fitted)
    write_user_items(tmp_path / "users", data.taken)
    again = rank_by(read_user_items(tmp_path / "users"), read_fitted(tmp_path / "model"))
    for keeps_seen in (False, True):
        first, second = (each.rank(np.arange(40), 8, keeps_seen) for each in (ranker, again))
        assert first.item_idx.tolist() == second.item_idx.tolist()
        np.testing.assert_allclose(first.score, second.score, rtol=1e-6)


def test_random_items_are_no_baseline_to_recommend_by(data_of, random_train):
    family = families(n_items=12, seed=0)["random"]
    assert family.build(data_of(random_train), {"new": {}})["new"].fitted is None
    assert {*families(n_items=12, seed=0)} == {"random", *ON_FILE}


def test_a_kind_that_is_unknown_is_refused(tmp_path):
    (tmp_path / "fitted.json").write_text(json.dumps({"kind": "ByMagic"}))
    with pytest.raises(ArtefactError, match="must be a baseline of this version, got ByMagic"):
        read_fitted(tmp_path)
