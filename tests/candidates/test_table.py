import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest

from recsys.candidates.table import Written, candidate_frame, write_candidates
from recsys.core.errors import DataError
from recsys.data.schema import CANDIDATES, check_table
from recsys.data.vocabulary import fit_vocabulary
from recsys.index.nearest import Found, Neighbours, check_list_length


@pytest.fixture
def users():
    return fit_vocabulary(pl.Series(["9", "10", "b", "a"]))


@pytest.fixture
def items():
    return fit_vocabulary(pl.Series([f"i{position}" for position in range(6)]))


def _lists(item_idx):
    item_idx = np.array(item_idx, np.int32)
    score = np.where(item_idx < 0, -np.inf, 1 - 0.1 * np.arange(item_idx.shape[1]))
    return Found.of_one(Neighbours(item_idx=item_idx, score=score.astype(np.float32)))


@pytest.fixture
def write(tmp_path, users, items):
    """Four users in two blocks; the third has one item only, the last has none."""

    def run(name="candidates.parquet"):
        first, second = _lists([[5, 0, 3], [1, 2, 3]]), _lists([[4, -1, -1], [-1, -1, -1]])
        blocks = iter([(np.array([0, 1]), first), (np.array([2, 3]), second)])
        return tmp_path / name, write_candidates(tmp_path / name, blocks, users=users, items=items, metadata={"about": "é"})

    return run


def test_rows_are_sorted_by_user_and_rank_and_ranks_start_at_1(write, users):
    table = pl.read_parquet(write()[0])
    assert table.equals(table.sort("user_id", "rank"))
    assert table["user_id"].to_list() == [users.ids[0]] * 3 + [users.ids[1]] * 3 + [users.ids[2]]
    assert table["rank"].to_list() == [1, 2, 3, 1, 2, 3, 1]
    assert table["item_id"].to_list() == ["i5", "i0", "i3", "i1", "i2", "i3", "i4"]
    np.testing.assert_allclose(table["score"].to_numpy(), [1, 0.9, 0.8, 1, 0.9, 0.8, 1], atol=1e-6)


def test_the_table_keeps_its_schema(write):
    table = pl.read_parquet(write()[0])
    check_table(table, CANDIDATES, name="candidates")
    assert table.columns == ["user_id", "item_id", "rank", "score"]


def test_lists_rows_short_lists_and_items_are_counted(write):
    assert write()[1] == Written(n_lists=3, n_rows=7, n_short=2, n_distinct=6, n_by_source=(7,))


def test_with_several_sources_the_table_says_which_it_was(tmp_path, users, items):
    found = _lists([[5, 0, -1]])
    found.source[0] = [1, 0, -1]
    path = tmp_path / "candidates.parquet"
    blocks = [(np.array([0]), found)]
    written = write_candidates(path, blocks, users=users, items=items, metadata={}, sources=("two_tower", "fresh"))
    assert pl.read_parquet(path)["source"].to_list() == ["fresh", "two_tower"]
    assert written.shares(("two_tower", "fresh")) == {"two_tower": 0.5, "fresh": 0.5}
    alone = [(np.array([0]), _lists([[5, 0, -1]]))]
    write_candidates(path, alone, users=users, items=items, metadata={}, sources=("two_tower",))
    assert "source" not in pl.read_parquet(path).columns


def test_the_two_id_columns_may_be_named_otherwise(tmp_path, items):
    path = tmp_path / "similar.parquet"
    blocks = [(np.array([0]), _lists([[5, 1, 2]]))]
    write_candidates(path, blocks, users=items, items=items, metadata={}, columns=("item_id", "similar_item_id"))
    assert pl.read_parquet(path).columns == ["item_id", "similar_item_id", "rank", "score"]


def test_the_same_lists_give_the_same_bytes(write):
    assert write("first")[0].read_bytes() == write("second")[0].read_bytes()


def test_metadata_and_one_row_group_a_block_are_in_the_file(write):
    file = pq.ParquetFile(write()[0])
    assert file.metadata.metadata[b"about"].decode() == "é"
    assert file.metadata.num_row_groups == 2


def test_an_error_in_a_block_leaves_no_file(tmp_path, users, items):
    def blocks():
        yield np.array([0]), _lists([[1, 2]])
        raise RuntimeError("search failed")

    with pytest.raises(RuntimeError, match="search failed"):
        write_candidates(tmp_path / "file", blocks(), users=users, items=items, metadata={})
    assert list(tmp_path.iterdir()) == []


def test_no_users_give_an_empty_table_of_the_same_columns(users, items):
    frame = candidate_frame(np.zeros(0, np.int64), _lists(np.zeros((0, 3))), users=users, items=items)
    assert frame.columns == ["user_id", "item_id", "rank", "score"]
    assert frame.is_empty()


def test_a_list_longer_than_the_catalogue_is_refused():
    with pytest.raises(DataError, match="at most the catalogue of 5 items, got 6"):
        check_list_length(6, n_items=5, name="retrieve")
    check_list_length(5, n_items=5, name="retrieve")


@pytest.mark.parametrize("n_items", [6, 600])
def test_ids_are_right_however_they_are_coded(tmp_path, users, n_items):
    items = fit_vocabulary(pl.Series([f"i{number}" for number in range(n_items)]).sort())
    blocks = [(np.array([1, 3]), _lists([[5, 0, 3], [2, 5, -1]])), (np.array([0]), _lists([[-1, -1, -1]]))]
    write_candidates(tmp_path / "file", blocks, users=users, items=items, metadata={})
    table = pl.read_parquet(tmp_path / "file")
    assert table["user_id"].to_list() == [users.ids[1]] * 3 + [users.ids[3]] * 2
    assert table["item_id"].to_list() == [items.ids[idx] for idx in (5, 0, 3, 2, 5)]


def test_lists_that_hold_too_little_of_the_catalogue_are_refused():
    written = Written(n_lists=3, n_rows=9, n_short=0, n_distinct=4, n_by_source=(9,))
    written.check_coverage(0.4, n_allowed=10)
    with pytest.raises(DataError, match=r"at least 50.0% of 10 allowed items must be in some list, got 4"):
        written.check_coverage(0.5, n_allowed=10)
