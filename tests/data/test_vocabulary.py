"""Ids and positions are two names of one thing."""

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.core.errors import ArtefactError, DataError
from recsys.data.vocabulary import fit_users, fit_vocabulary, read_vocabulary, write_vocabulary

_IDS = st.lists(st.text(alphabet=st.characters(codec="utf-8"), max_size=5), max_size=30)


@settings(deadline=None, max_examples=40)
@given(_IDS)
def test_idx_starts_at_zero_without_holes_in_the_order_of_the_sorted_ids(ids: list[str]) -> None:
    vocabulary = fit_vocabulary(pl.Series(ids, dtype=pl.String))
    assert vocabulary.ids.to_list() == sorted(set(ids))
    assert len(vocabulary) == len(set(ids))
    table = vocabulary.frame(id_column="item_id", idx_column="item_idx")
    assert table.schema == {"item_id": pl.String(), "item_idx": pl.Int32()}
    assert table["item_idx"].to_list() == list(range(len(vocabulary)))


@settings(deadline=None, max_examples=40)
@given(_IDS, st.text(alphabet=st.characters(codec="utf-8"), max_size=5))
def test_every_id_is_found_at_its_position_and_no_other_is_found(ids: list[str], other: str) -> None:
    vocabulary = fit_vocabulary(pl.Series(ids, dtype=pl.String))
    assert [vocabulary.idx_of(identifier) for identifier in vocabulary.ids] == list(range(len(vocabulary)))
    assert (vocabulary.idx_of(other) is None) == (other not in ids)


def test_leading_zeros_make_another_id() -> None:
    vocabulary = fit_vocabulary(pl.Series(["7", "007", "07"]))
    assert vocabulary.ids.to_list() == ["007", "07", "7"]
    assert vocabulary.idx_of("0007") is None


def test_integers_are_taken_as_text_and_sorted_as_text() -> None:
    assert fit_vocabulary(pl.Series([10, 9, 10])).ids.to_list() == ["10", "9"]


def test_null_ids_are_refused_by_their_number() -> None:
    with pytest.raises(DataError, match="ids must not be null, got 2 nulls"):
        fit_vocabulary(pl.Series(["a", None, None]))


@pytest.mark.parametrize("ids", [["b", "a", "é", "007"], []])
def test_a_written_vocabulary_is_read_back(tmp_path: Path, ids: list[str]) -> None:
    vocabulary = fit_vocabulary(pl.Series(ids, dtype=pl.String))
    write_vocabulary(tmp_path / "items.parquet", vocabulary, id_column="item_id", idx_column="item_idx")
    read = read_vocabulary(tmp_path / "items.parquet", id_column="item_id")
    assert read.ids.to_list() == vocabulary.ids.to_list()
    assert [read.idx_of(identifier) for identifier in ids] == [vocabulary.idx_of(identifier) for identifier in ids]


def test_a_missing_or_foreign_file_is_an_artefact_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "text.parquet").write_text("no table")
    pl.DataFrame({"other": ["a"]}).write_parquet(tmp_path / "other.parquet")
    for name in ("none.parquet", "text.parquet", "other.parquet"):
        with pytest.raises(ArtefactError, match=rf"(?s){name} must be a vocabulary, got .*; run the stage pairs again"):
            read_vocabulary(tmp_path / name, id_column="item_id")


def test_users_are_those_with_an_event_on_an_item_of_train() -> None:
    train = pl.DataFrame({"user_id": ["a", "b"], "item_id": ["x", "y"]})
    validation = pl.DataFrame({"user_id": ["c", "d", "a"], "item_id": ["x", "new", "new"]})
    assert fit_users(train, validation).ids.to_list() == ["a", "b", "c"]
