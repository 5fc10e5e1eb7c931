import polars as pl
import pytest

from recsys.evaluation.list_comparison import compare_lists


def _table(lists):
    rows = [(user, item, rank) for user, items in lists.items() for rank, item in enumerate(items, start=1)]
    return pl.DataFrame(rows, schema={"user_id": pl.String, "item_id": pl.String, "rank": pl.Int32}, orient="row").lazy()


_OLD = {"a": ["x", "y", "z"], "b": ["x", "y", "z"], "gone": ["x", "p", "q"]}
_NEW = {"a": ["x", "y", "w"], "b": ["u", "v", "z"], "new": ["x", "u", "v"]}


def test_what_changed_for_users_and_catalogue_is_counted():
    found = compare_lists(_table(_OLD), _table(_NEW), k=3)
    assert (found.n_users, found.n_lost, found.n_new) == (2, 1, 1)
    assert found.overlap == pytest.approx((2 / 3 + 1 / 3) / 2)
    assert found.n_churned == 1
    assert found.coverage == (5, 6)
    assert (found.n_items_gone, found.n_items_come) == (2, 3)


def test_a_table_is_alike_to_itself():
    found = compare_lists(_table(_OLD), _table(_OLD), k=3)
    assert (found.overlap, found.n_churned, found.n_lost, found.n_new) == (1.0, 0, 0, 0)
    assert found.rank_biased_overlap == pytest.approx(1.0)
    assert found.popularity[0] == found.popularity[1]


def test_only_the_first_k_ranks_are_looked_at():
    assert compare_lists(_table(_OLD), _table(_NEW), k=1).overlap == pytest.approx(0.5)


def test_a_shift_to_popular_items_shows():
    counts = pl.DataFrame({"item_id": ["x", "y", "z", "u", "v", "w"], "count": [9, 5, 1, 100, 100, 100]})
    found = compare_lists(_table(_OLD), _table(_NEW), k=3, counts=counts)
    assert found.popularity[1] > found.popularity[0]


def test_tables_without_a_common_user_have_nothing_in_common():
    found = compare_lists(_table({"a": ["x"]}), _table({"b": ["x"]}), k=3)
    assert (found.n_users, found.overlap, found.rank_biased_overlap) == (0, 0.0, 0.0)
