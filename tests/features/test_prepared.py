import numpy as np
import polars as pl
import pytest

from recsys.core.files import read_array
from recsys.data.vocabulary import fit_users, read_vocabulary
from recsys.features.item_text import ALL
from recsys.features.prepared import PairSettings, prepare


@pytest.fixture
def build():
    train = pl.DataFrame({"user_id": ["a", "a", "b"], "item_id": ["x", "y", "x"], "timestamp": [1, 2, 1]})
    validation = pl.DataFrame({"user_id": ["a", "b", "b"], "item_id": ["new", "y", "new"], "timestamp": [3, 3, 4]})
    times = {"user_id": ["a", "b"], "validation_time": [3, 3], "request_time": [9, 9]}
    items = {"item_id": ["new", "x", "y"], "title": ["a new one", "red shoes", "blue shoes"], "brand": ["n", "p", "q"]}

    def make(**settings):
        return prepare(
            train,
            validation,
            users=fit_users(train, validation),
            request_times=pl.DataFrame(times),
            are_sets=False,
            item_table=pl.DataFrame(items | {"brand": [[brand] for brand in items["brand"]]}),
            user_table=pl.DataFrame({"user_id": ["a", "b"]}),
            settings=PairSettings(**settings),
        )

    return make


def test_all_is_fitted_on_train_and_validation_only_continues_the_histories(build):
    prepared = build()
    assert prepared.items.ids.to_list() == ["x", "y"], "an item of validation alone is none that the towers know"
    assert prepared.counts.tolist() == [2, 1]
    np.testing.assert_allclose(prepared.log_q, np.log([2 / 3, 1 / 3]), rtol=1e-6)
    assert prepared.n_unknown_validation == 2
    assert prepared.unknown_events.rows() == [(0, "new"), (1, "new")]
    assert prepared.item_side.category_names == ["brand=p", "brand=q"]


def test_items_have_a_text_vector_of_their_own_words(build):
    prepared = build(search_dim=8)
    assert prepared.search_columns == [ALL, "title", "brand"]
    shoes = prepared.encoder.encode(["red shoes"]) @ prepared.search_text[:, 0].T
    assert shoes.argmax() == 0


def test_attributes_can_be_left_out(build):
    with_them, without = build(), build(item_attributes=False)
    assert with_them.item_side.categories.size > without.item_side.categories.size


def test_what_is_written_is_what_was_prepared(build, tmp_path):
    prepared = build()
    prepared.write(tmp_path)
    assert read_vocabulary(tmp_path / "items.parquet", id_column="item_id").ids.equals(prepared.items.ids)
    for name in ("counts", "log_q", "item_text", "search_text"):
        file = {"counts": "item_count"}.get(name, name)
        np.testing.assert_array_equal(read_array(tmp_path / f"{file}.npy"), getattr(prepared, name))
    assert pl.read_parquet(tmp_path / "unknown_events.parquet").equals(prepared.unknown_events)
