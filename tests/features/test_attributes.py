"""Attributes are encoded for the rows of the vocabulary, and other rows leave no trace."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.data.schema import CATEGORIES
from recsys.data.vocabulary import fit_vocabulary
from recsys.features.attributes import Attributes, fit_attributes

_NUMBERS = st.lists(st.none() | st.floats(-1e6, 1e6), min_size=1, max_size=12)


def _fit(table: pl.DataFrame | None, ids: list[str]) -> Attributes:
    return fit_attributes(table, vocabulary=fit_vocabulary(pl.Series(ids, dtype=pl.String)), id_column="item_id")


def _categories(rows: dict[str, list[str] | None], column: str = "genre") -> pl.DataFrame:
    return pl.DataFrame({"item_id": list(rows), column: list(rows.values())}, schema={"item_id": pl.String, column: CATEGORIES})


def _named(fitted: Attributes) -> list[set[str]]:
    return [{fitted.category_names[code - 1] for code in row if code > 0} for row in fitted.categories]


@settings(deadline=None, max_examples=40)
@given(
    st.dictionaries(
        st.sampled_from("abcdef"), st.none() | st.lists(st.sampled_from(["x", "y", "z", "a=b"]), max_size=5), min_size=1
    )
)
def test_categories_round_trip_through_their_positions(rows: dict[str, list[str] | None]) -> None:
    fitted = _fit(_categories(rows), list(rows))
    assert _named(fitted) == [{f"genre={name}" for name in rows[key] or []} for key in sorted(rows)]
    assert fitted.categories.dtype == np.int32
    assert fitted.category_names == sorted({f"genre={name}" for names in rows.values() for name in names or []})
    for row in fitted.categories:
        positions = row[row > 0]
        assert len(set(positions)) == len(positions)


def test_the_same_name_in_two_columns_is_two_categories() -> None:
    table = _categories({"a": ["red"]}).with_columns(mood=pl.Series([["red", "sad"]], dtype=CATEGORIES))
    fitted = _fit(table, ["a"])
    assert _named(fitted) == [{"genre=red", "mood=red", "mood=sad"}]


def test_rows_follow_the_vocabulary_and_an_id_without_a_row_has_nothing() -> None:
    table = _categories({"c": ["z"], "a": ["x"]}).with_columns(year=pl.Series([4.0, 2.0]))
    fitted = _fit(table, ["a", "b", "c"])
    assert _named(fitted) == [{"genre=x", "year>=2"}, set(), {"genre=z", "year>=4"}]
    np.testing.assert_allclose(fitted.numbers[:, 0], [-1, 0, 1], atol=1e-6)


def test_rows_outside_the_vocabulary_change_nothing() -> None:
    table = _categories({"a": ["x"], "b": ["y"]}).with_columns(year=pl.Series([1.0, 3.0]))
    more = pl.concat([table, _categories({"stranger": ["aaa", "x"]}).with_columns(year=pl.lit(1e9))])
    alone, beside = _fit(table, ["a", "b"]), _fit(more, ["a", "b"])
    assert beside.category_names == alone.category_names == ["genre=x", "genre=y", "year>=1", "year>=3"]
    np.testing.assert_array_equal(beside.categories, alone.categories)
    np.testing.assert_array_equal(beside.numbers, alone.numbers)


def test_a_row_of_33_categories_loses_one_and_is_counted() -> None:
    rows = {"a": [f"{position:02d}" for position in range(33)], "b": [f"{position:02d}" for position in range(32)]}
    fitted = _fit(_categories(rows), ["a", "b"])
    assert fitted.n_cut == 1
    assert fitted.categories.shape == (2, 32)
    assert [len(names) for names in _named(fitted)] == [32, 32]
    assert len(fitted.category_names) == 33


def test_nothing_is_cut_and_the_array_is_as_narrow_as_the_longest_row() -> None:
    fitted = _fit(_categories({"a": ["x", "y"], "b": ["z"]}), ["a", "b"])
    assert (fitted.n_cut, fitted.categories.shape) == (0, (2, 2))


@settings(deadline=None, max_examples=40)
@given(_NUMBERS)
def test_numbers_are_standardised_over_the_known_ones_and_a_missing_one_is_the_mean(values: list[float | None]) -> None:
    ids = [f"i{position:02d}" for position in range(len(values))]
    table = pl.DataFrame({"item_id": ids, "price": values}, schema={"item_id": pl.String, "price": pl.Float64})
    fitted = _fit(table, ids)
    known = np.array([value for value in values if value is not None])
    spread = known.std() if len(known) else 0.0
    assert fitted.number_names == ["price"]
    assert np.isfinite(fitted.numbers).all()
    assert np.abs(fitted.numbers).max() <= 5
    if spread <= 1e-6 * max(1.0, np.abs(known).max(initial=0)):
        return
    expected = [0.0 if value is None else (value - known.mean()) / spread for value in values]
    np.testing.assert_allclose(fitted.numbers[:, 0], np.clip(expected, -5, 5), atol=1e-3)


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), -float("inf"), None])
def test_a_number_that_is_none_does_not_spoil_the_others(odd: float | None) -> None:
    table = pl.DataFrame({"item_id": ["a", "b", "c"], "price": [1.0, odd, 3.0]})
    np.testing.assert_allclose(_fit(table, ["a", "b", "c"]).numbers[:, 0], [-1, 0, 1], atol=1e-6)


def test_an_outlier_is_clipped_and_a_constant_column_is_0() -> None:
    ids = [f"i{position:03d}" for position in range(100)]
    table = pl.DataFrame({"item_id": ids, "price": [0.0] * 99 + [1e6], "same": [7.0] * 100})
    fitted = _fit(table, ids)
    assert fitted.numbers[:, 0].max() == 5
    assert not fitted.numbers[:, 1].any()


@pytest.mark.parametrize("table", [None, pl.DataFrame({"item_id": ["a"], "title": ["text is no attribute"]})])
def test_without_attributes_the_arrays_have_rows_and_no_columns(table: pl.DataFrame | None) -> None:
    fitted = _fit(table, ["a", "b"])
    assert (fitted.categories.shape, fitted.numbers.shape) == ((2, 0), (2, 0))
    assert (fitted.categories.dtype, fitted.numbers.dtype) == (np.int32, np.float32)
    assert (fitted.category_names, fitted.number_names) == ([], [])


def test_categories_that_are_all_empty_are_all_none() -> None:
    fitted = _fit(_categories({"a": [], "b": None}), ["a", "b"])
    assert not fitted.categories.any()
    assert fitted.category_names == []


def test_many_different_numbers_fall_into_64_ranges_of_about_equal_size_in_order() -> None:
    ids = [f"i{position:04d}" for position in range(1000)]
    prices = np.exp(np.random.default_rng(0).normal(size=1000))
    fitted = _fit(pl.DataFrame({"item_id": ids, "price": prices}), ids)
    lowest = np.array([float(fitted.category_names[code - 1].removeprefix("price>=")) for code in fitted.categories[:, 0]])
    sizes = np.unique(lowest, return_counts=True)[1]
    assert len(sizes) == 64
    assert 14 <= sizes.min() <= sizes.max() <= 17
    assert (lowest <= prices + 1e-9).all()
    assert (np.diff(lowest[np.argsort(prices)]) >= 0).all()


def test_a_missing_number_is_in_no_range() -> None:
    table = pl.DataFrame({"item_id": ["a", "b", "c"], "price": [1.5, None, float("nan")]})
    assert _named(_fit(table, ["a", "b", "c"])) == [{"price>=1.5"}, set(), set()]
