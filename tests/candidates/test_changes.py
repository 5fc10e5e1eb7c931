import numpy as np
import polars as pl
import pytest

from recsys.candidates.changes import Changes, add_items, delete_items, read_changes, read_vectors
from recsys.core.errors import DataError
from recsys.data.vocabulary import fit_vocabulary


@pytest.fixture
def items():
    return fit_vocabulary(pl.Series(["a", "b", "c"]))


@pytest.fixture
def add(tmp_path, items, unit_vectors):
    def run(*ids, model="m", vectors=None):
        vectors = unit_vectors(len(ids), 4, seed=len(ids)) if vectors is None else vectors
        add_items(tmp_path, ids, vectors, items=items, model=model, dim=4)
        return vectors

    return run


def _read(tmp_path, model="m"):
    return read_changes(tmp_path, model=model, dim=4)


def test_without_a_file_nothing_has_changed(tmp_path, items):
    changes = _read(tmp_path)
    assert changes.extend(items).ids.to_list() == ["a", "b", "c"]
    assert changes.remaining(items, None) is None
    assert changes.vectors.shape == (0, 4)


def test_added_items_follow_the_vocabulary_in_the_order_they_came(tmp_path, items, add):
    first, second = add("z", "d"), add("x")
    changes = _read(tmp_path)
    assert changes.extend(items).ids.to_list() == ["a", "b", "c", "z", "d", "x"]
    np.testing.assert_array_equal(changes.vectors, np.concatenate([first, second]))


def test_deleted_items_are_filtered_wherever_they_are(tmp_path, items, add):
    add("z", "d")
    delete_items(tmp_path, ["b", "d", "b"], items=items)
    changes = _read(tmp_path)
    extended = changes.extend(items)
    assert changes.remaining(extended, None).tolist() == [True, False, True, True, False]
    only = np.array([True, True, False, False, True])
    assert changes.remaining(extended, only).tolist() == [True, False, False, False, False]


def test_an_id_is_never_used_again(tmp_path, items, add):
    add("z")
    delete_items(tmp_path, ["z", "a"], items=items)
    for identifier in ("z", "a", "b"):
        with pytest.raises(DataError, match=f"an id must be new, got '{identifier}'"):
            add(identifier)
    with pytest.raises(DataError, match="an id must stand in the file once, got 'y' again"):
        add("y", "y")
    assert _read(tmp_path).added.to_list() == ["z"]


def test_vectors_of_another_model_are_left_out_and_may_be_given_again(tmp_path, items, add):
    add("z", "y")
    delete_items(tmp_path, ["a"], items=items)
    changes = _read(tmp_path, model="newer")
    assert (len(changes.added), len(changes.of_other_models)) == (0, 2)
    assert changes.deleted.to_list() == ["a"]
    add("z", model="newer")
    assert _read(tmp_path, model="newer").added.to_list() == ["z"]
    delete_items(tmp_path, ["y"], items=items)
    with pytest.raises(DataError, match="an id must be new, got 'y'"):
        add("y", model="newest")


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        (np.ones((1, 3), np.float32), "vectors must have 4 numbers each"),
        (np.ones((1, 4), np.float32), "vectors must have length 1"),
        (np.full((1, 4), np.nan, np.float32), "vectors must have length 1"),
    ],
)
def test_vectors_that_do_not_fit_are_refused(tmp_path, add, vectors, message):
    with pytest.raises(DataError, match=message):
        add("z", vectors=vectors)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_item_cannot_be_deleted_and_then_none_is(tmp_path, items, add):
    with pytest.raises(DataError, match="an item must be known, got 'q'; nothing was deleted"):
        delete_items(tmp_path, ["a", "q"], items=items)
    assert not len(_read(tmp_path).deleted)


def test_vectors_are_read_from_parquet(tmp_path):
    table = pl.DataFrame({"item_id": [7, 8], "vector": [[1.0, 0.0], [0.0, 1.0]]})
    table.write_parquet(tmp_path / "new.parquet")
    ids, vectors = read_vectors(tmp_path / "new.parquet")
    assert (ids, vectors.tolist()) == (["7", "8"], [[1.0, 0.0], [0.0, 1.0]])


@pytest.mark.parametrize(
    "table",
    [
        {"item_id": ["a"]},
        {"item_id": ["a", "b"], "vector": [[1.0], [1.0, 0.0]]},
        {"item_id": ["a", None], "vector": [[1.0], [1.0]]},
        {"item_id": ["a"], "vector": ["x"]},
        {"item_id": ["a", ""], "vector": [[1.0], [1.0]]},
        {"item_id": [1.0, 2.0], "vector": [[1.0], [1.0]]},
        {"item_id": pl.Series([], dtype=pl.String), "vector": pl.Series([], dtype=pl.List(pl.Float32))},
        {"item_id": ["a"], "vector": [None]},
    ],
)
def test_tables_without_vectors_are_refused(tmp_path, table):
    pl.DataFrame(table).write_parquet(tmp_path / "new.parquet")
    with pytest.raises(DataError, match=r"new\.parquet must"):
        read_vectors(tmp_path / "new.parquet")


def test_items_that_got_a_vector_by_their_texts_come_behind_the_added_ones_and_give_way_to_them() -> None:
    added = Changes(
        added=pl.Series(["n1", "n2"]),
        vectors=np.array([[1, 0], [0, 1]], np.float32),
        deleted=pl.Series([], dtype=pl.String),
        of_other_models=pl.Series([], dtype=pl.String),
    )
    cold = pl.DataFrame(
        {"item_id": ["c1", "n2"], "vector": [[0.6, 0.8], [0.8, 0.6]]},
        schema={"item_id": pl.String, "vector": pl.Array(pl.Float32, 2)},
    )
    both = added.after(cold)
    assert both.added.to_list() == ["n1", "n2", "c1"]
    np.testing.assert_array_equal(both.vectors, np.array([[1, 0], [0, 1], [0.6, 0.8]], np.float32))
    assert added.after(cold.clear()).added.to_list() == ["n1", "n2"]


def test_items_may_be_shortened(tmp_path, items, unit_vectors):
    vectors = unit_vectors(2, 4)
    add_items(tmp_path, ["x", "y"], vectors, items=items, model="m", dim=4, scale=0.5)
    np.testing.assert_allclose(_read(tmp_path).vectors, vectors / 2, atol=1e-6)
