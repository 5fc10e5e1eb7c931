import numpy as np
import polars as pl
import pytest

from recsys.candidates.candidate_search import SearchPlan
from recsys.candidates.catalogue import Catalogue
from recsys.candidates.parts import Parts
from recsys.core.errors import DataError
from recsys.core.files import write_array
from recsys.data.vocabulary import fit_vocabulary
from recsys.index.nearest import Found, Neighbours


@pytest.fixture
def catalogue(tmp_path):
    """Three users who took items 0 and 1, 2, and nothing, of five."""
    write_array(tmp_path / "item_idx.npy", np.array([0, 1, 2], np.int32))
    write_array(tmp_path / "offsets.npy", np.array([0, 2, 3, 3]))
    users, items = (fit_vocabulary(pl.Series([f"{side}{n}" for n in range(size)])) for side, size in (("u", 3), ("i", 5)))
    return Catalogue(users=users, items=items, metadata={}, pairs=tmp_path)


@pytest.fixture
def parts_of(tmp_path):
    def write(rows, k):
        parts = Parts(folder=tmp_path / "parts", n_rows=len(rows), part_rows=2, k=k)
        lists = np.array([[*row, *[-1] * (k - len(row))] for row in rows], np.int32)
        for part in range(len(parts)):
            own = lists[parts.rows(part).start : parts.rows(part).stop]
            score = np.where(own < 0, -np.inf, 1.0).astype(np.float32)
            parts.write(part, Found.of_one(Neighbours(item_idx=own, score=score)))
        return parts

    return write


def test_lists_come_in_users_order_with_their_ids(tmp_path, catalogue, parts_of):
    parts = parts_of([[2, 3, 4], [0, 1, 3], [4, 3, 2]], 3)
    written = catalogue.write_lists(tmp_path / "table", parts, np.arange(3), plan=SearchPlan())
    assert (written.n_lists, written.n_rows, written.n_distinct) == (3, 9, 5)
    assert pl.read_parquet(tmp_path / "table")["user_id"].to_list() == ["u0"] * 3 + ["u1"] * 3 + ["u2"] * 3


@pytest.mark.parametrize(("keeps_seen", "is_refused"), [(False, False), (True, True)])
def test_a_list_must_be_as_long_as_it_can_be(tmp_path, catalogue, parts_of, keeps_seen, is_refused):
    parts, plan = parts_of([[2, 3, 4], [0, 1, 3, 4], [0, 1, 2, 3, 4]], 5), SearchPlan(keeps_seen=keeps_seen)
    if not is_refused:
        assert catalogue.write_lists(tmp_path / "table", parts, np.arange(3), plan=plan).n_short == 2
        return
    with pytest.raises(DataError, match="user 'u0' must have 5 candidates, got another number \\(2 such users\\)"):
        catalogue.write_lists(tmp_path / "table", parts, np.arange(3), plan=plan)
    assert not (tmp_path / "table").exists()


def test_lists_of_rules_that_were_named_may_be_short(tmp_path, catalogue, parts_of):
    plan = SearchPlan(sources=("fresh",))
    written = catalogue.write_lists(tmp_path / "table", parts_of([[2], [], [4]], 3), np.arange(3), plan=plan)
    assert (written.n_lists, written.n_short) == (2, 3)


def test_neighbours_of_items_have_both_ids(tmp_path, catalogue, parts_of):
    catalogue.write_similar(tmp_path / "similar", parts_of([[1, 2], [0, 2], [1, 0], [4, 0], [3, 0]], 2))
    table = pl.read_parquet(tmp_path / "similar")
    assert table.columns[:2] == ["item_id", "similar_item_id"]
    assert table.row(6)[:2] == ("i3", "i4")


def test_users_of_a_file_come_in_users_order_and_strangers_are_counted(tmp_path, catalogue):
    assert catalogue.choose_users(None)[0].tolist() == [0, 1, 2]
    (tmp_path / "users.txt").write_text("u2\nnobody\nu0\n")
    chosen, n_unknown = catalogue.choose_users(str(tmp_path / "users.txt"))
    assert (chosen.tolist(), n_unknown) == ([0, 2], 1)
    (tmp_path / "users.txt").write_text("nobody\n")
    with pytest.raises(DataError, match="must have a history, got none of 1"):
        catalogue.choose_users(str(tmp_path / "users.txt"))
