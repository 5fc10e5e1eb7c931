from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from recsys.evaluation.examples import choose_items, choose_users

ITEMS = pl.DataFrame({"item_id": ["a", "b", "c"], "price": [1.0, 2.0, 3.0], "title": ["An  apple\n", None, "c" * 200]})


@pytest.fixture
def lists(tmp_path):
    rows = [(f"u{n:02d}", item, rank) for n in range(30) for rank, item in enumerate(["a", "b", "c"], start=1)]
    path = tmp_path / "candidates.parquet"
    pl.DataFrame(rows, schema=["user_id", "item_id", "rank"], orient="row").write_parquet(path)
    return path


@pytest.fixture
def parts():
    start = datetime(2026, 1, 1, tzinfo=UTC)
    before = [(f"u{n:02d}", item, start + timedelta(days=day)) for n in range(30) for day, item in enumerate("cab")]
    relevant = [(f"u{n:02d}", "b") for n in range(30)]
    return (
        pl.DataFrame(before, schema=["user_id", "item_id", "timestamp"], orient="row"),
        pl.DataFrame(relevant, schema=["user_id", "item_id"], orient="row"),
    )


def test_users_are_drawn_by_the_seed_with_titles_the_last_event_first_and_hits_marked(lists, parts):
    before, relevant = parts
    found = choose_users(lists, before, relevant, ITEMS, n=10, seed=0)
    assert len(found) == 10 and len({each.user for each in found}) == 10
    assert found == choose_users(lists, before, relevant, ITEMS, n=10, seed=0)
    assert [each.user for each in choose_users(lists, before, relevant, ITEMS, n=10, seed=1)] != [each.user for each in found]
    assert found[0].history == ["b", "An apple (a)", f"{'c' * 80} (c)"]
    assert found[0].listed == [("An apple (a)", False), ("b", True), (f"{'c' * 80} (c)", False)]
    assert found[0].taken == ["b"]


def test_items_without_titles_are_called_by_their_ids(lists, parts):
    found = choose_users(lists, *parts, None, n=2, seed=0)
    assert [title for title, _ in found[0].listed] == ["a", "b", "c"]


def test_similar_items_begin_with_the_most_popular(tmp_path):
    near = [(one, other, rank) for one in "abcd" for rank, other in enumerate((x for x in "abcd" if x != one), start=1)]
    path = tmp_path / "similar.parquet"
    pl.DataFrame(near, schema=["item_id", "similar_item_id", "rank"], orient="row").write_parquet(path)
    catalogue = pl.DataFrame({"item_id": list("abcd"), "count": [1, 5, 9, 2]})
    found = choose_items(path, catalogue, ITEMS, n=3, seed=0)
    assert found[0].item.startswith("cc") and found[0].similar == ["An apple (a)", "b", "d"]
    assert len(found) == 3
    assert choose_items(tmp_path / "none.parquet", catalogue, ITEMS, n=3, seed=0) == []
