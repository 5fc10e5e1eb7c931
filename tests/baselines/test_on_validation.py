import numpy as np
import polars as pl

from recsys.baselines.choose import choose_judged
from recsys.baselines.families import families
from recsys.baselines.on_validation import OnValidation, read_on_validation


def test_what_is_read_judges_lists_as_what_was_written(tmp_path, data_of, random_train):
    data = data_of(random_train)
    taken = [(user, next(item for item in range(12) if not random_train[user, item])) for user in range(3, 30)]
    validation = pl.DataFrame(
        {"user_id": [f"u{user:05d}" for user, _ in taken], "item_id": [f"i{item:05d}" for _, item in taken]}
    )
    judged = choose_judged(data, validation, at_most=20, seed=0)
    ranker = families(n_items=12, seed=0)["item_knn"].build(data, {"new": {"weighting": "bm25", "half_life": None}})["new"]
    lists = judged.lists(ranker, k=10)
    user_ids = data.users.ids.gather(judged.user_idx)
    OnValidation(user_ids=user_ids, judged=judged, lists={"item_knn": lists}).write(tmp_path)
    found = read_on_validation(tmp_path)
    assert found.user_ids.to_list() == [f"u{user:05d}" for user in judged.user_idx]
    np.testing.assert_array_equal(found.lists["item_knn"].item_idx, lists.item_idx)
    assert found.judged.ndcg(found.lists["item_knn"]) == judged.ndcg(lists) > 0


def test_where_nobody_was_judged_there_is_nothing(tmp_path):
    assert read_on_validation(tmp_path) is None
