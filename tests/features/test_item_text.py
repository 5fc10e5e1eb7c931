"""Items of like words lie near each other, and only items of train teach the words."""

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from recsys.data.vocabulary import fit_vocabulary
from recsys.features.item_text import ALL, encode_search_texts, fit_item_text, search_texts
from recsys.features.text_encoder import fit_text_encoder

_WORDS = {"sea": ["whale", "ship", "storm", "sailor", "harbour"], "space": ["rocket", "moon", "orbit", "comet", "alien"]}


def _table() -> pl.DataFrame:
    rng = np.random.default_rng(0)
    rows = [(f"{topic}{position:02d}", " ".join(rng.choice(_WORDS[topic], 3))) for topic in _WORDS for position in range(20)]
    return pl.DataFrame(rows, schema=["item_id", "title"], orient="row")


def _fit(table: pl.DataFrame | None, *, ids: list[str] | None = None, text_dim: int = 4, seed: int = 0) -> NDArray[np.float32]:
    known = pl.Series(ids if ids is not None else table["item_id"].to_list())
    return fit_item_text(table, vocabulary=fit_vocabulary(known), text_dim=text_dim, seed=seed)


def test_rows_are_unit_vectors_in_the_order_of_the_vocabulary() -> None:
    vectors = _fit(_table())
    assert (vectors.shape, vectors.dtype) == ((40, 4), np.float32)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    shuffled = _fit(_table().sample(fraction=1.0, shuffle=True, seed=1))
    np.testing.assert_allclose(shuffled, vectors, atol=1e-6)


def test_items_of_one_topic_are_nearer_than_items_of_two() -> None:
    vectors = _fit(_table())
    near = vectors @ vectors.T
    assert near[:20, :20].mean() > 0.3
    assert np.abs(near[:20, 20:]).max() < 0.05


def test_equal_words_give_equal_vectors_whatever_case_and_order() -> None:
    table = pl.concat([_table(), pl.DataFrame({"item_id": ["x", "y"], "title": ["Moon ROCKET", "rocket, moon!"]})])
    vectors = _fit(table)
    np.testing.assert_allclose(vectors[-1], vectors[-2], atol=1e-5)


def test_the_same_seed_gives_the_same_vectors_even_if_it_has_63_bits() -> None:
    seed = 2**63 - 1
    np.testing.assert_array_equal(_fit(_table(), seed=seed), _fit(_table(), seed=seed))


def test_items_outside_the_vocabulary_change_nothing() -> None:
    strange = pl.DataFrame({"item_id": ["p", "q"], "title": ["moon moon whale", "zebra zebra"]})
    ids = _table()["item_id"].to_list()
    np.testing.assert_array_equal(_fit(pl.concat([_table(), strange]), ids=ids), _fit(_table()))


def test_an_item_without_a_known_word_is_0() -> None:
    odd = pl.DataFrame({"item_id": ["x", "y"], "title": ["unheard", None]}, schema={"item_id": pl.String, "title": pl.String})
    vectors = _fit(pl.concat([_table(), odd]), ids=[*_table()["item_id"], "x", "y", "z"])
    assert not vectors[-3:].any()
    np.testing.assert_allclose(np.linalg.norm(vectors[:-3], axis=1), 1, atol=1e-5)


def test_all_text_columns_are_read_together() -> None:
    split = _table().with_columns(
        title=pl.col("title").str.split(" ").list.head(1).list.join(" "),
        blurb=pl.col("title").str.split(" ").list.slice(1).list.join(" "),
    )
    np.testing.assert_allclose(_fit(split), _fit(_table()), atol=1e-6)


def test_there_are_no_more_dimensions_than_words_allow() -> None:
    vectors = _fit(_table(), text_dim=64)
    assert 1 <= vectors.shape[1] <= 10
    assert vectors.shape[0] == 40


@pytest.mark.parametrize(
    "table",
    [
        None,
        pl.DataFrame({"item_id": ["a", "b"], "year": [1.0, 2.0]}),
        pl.DataFrame({"item_id": ["a", "b"], "title": ["one", "two"]}),
        pl.DataFrame({"item_id": ["a", "b"], "title": ["", None]}),
        pl.DataFrame({"item_id": ["a", "b"], "title": ["same", "same"]}),
    ],
    ids=["no table", "no text", "no word twice", "no words", "one word"],
)
def test_without_words_to_compare_the_array_has_rows_and_no_columns(table: pl.DataFrame | None) -> None:
    vectors = _fit(table, ids=["a", "b"])
    assert (vectors.shape, vectors.dtype) == ((2, 0), np.float32)


def test_no_dimensions_asked_for_are_no_columns() -> None:
    assert _fit(_table(), text_dim=0).shape == (40, 0)


def test_items_that_all_say_the_same_give_equal_finite_vectors_and_no_warning() -> None:
    table = pl.DataFrame({"item_id": ["a", "b", "c"], "title": ["same old tale"] * 3})
    vectors = _fit(table)
    assert np.isfinite(vectors).all()
    np.testing.assert_allclose(vectors, np.broadcast_to(vectors[:1], vectors.shape), atol=1e-5)


def test_items_are_searched_by_texts_categories_and_whole_numbers_and_by_all_of_them() -> None:
    table = pl.DataFrame(
        {
            "item_id": ["a", "b", "c"],
            "title": ["Big Ship", None, "Moon"],
            "genre": [["Sea", "War"], ["Space"], None],
            "year": [1995.0, None, 2001.0],
            "price": [1.5, 2.25, 3.0],
        }
    )
    assert search_texts(table) == {
        ALL: ["Big Ship Sea War 1995", "Space", "Moon  2001"],
        "title": ["Big Ship", "", "Moon"],
        "genre": ["Sea War", "Space", ""],
        "year": ["1995", "", "2001"],
    }


def test_numbers_that_differ_from_item_to_item_are_no_words() -> None:
    table = pl.DataFrame({"item_id": [str(item) for item in range(300)], "sold": [float(item) for item in range(300)]})
    assert list(search_texts(table)) == [ALL]
    assert search_texts(table)[ALL] == [""] * 300


def test_search_texts_are_encoded_column_by_column() -> None:
    texts = search_texts(_table())
    encoder = fit_text_encoder(texts[ALL], dim=4, seed=0, min_items=1)
    vectors = encode_search_texts(encoder, texts)
    assert (vectors.shape, vectors.dtype) == ((40, 2, 4), np.float32)
    np.testing.assert_array_equal(vectors[:, 1], encoder.encode(texts["title"]))


def test_new_items_are_read_by_the_columns_of_the_old_ones() -> None:
    new = pl.DataFrame({"item_id": ["n"], "title": ["Sun"], "sold": [7.0], "year": [1999.0]})
    assert search_texts(new, columns=[ALL, "title", "year"]) == {ALL: ["Sun 1999"], "title": ["Sun"], "year": ["1999"]}


def test_a_column_named_all_is_a_column_as_any_other() -> None:
    table = pl.DataFrame({"item_id": ["a"], "title": ["Big Ship"], "all": [["Sea"]]})
    assert search_texts(table) == {ALL: ["Big Ship Sea"], "title": ["Big Ship"], "all": ["Sea"]}
