from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from recsys.core.errors import ConfigError
from recsys.evaluation.groups import check_columns, item_groups, user_groups

CUT = datetime(2026, 1, 1, tzinfo=UTC)
USERS = [f"u{number:02d}" for number in range(90)]
TABLE = pl.DataFrame(
    {"user_id": USERS, "country": [["de"] if n % 3 else ["fr", "de"] for n in range(90)], "age": [float(n) for n in range(90)]}
)


@pytest.fixture
def events():
    """User n has n + 1 events, the last one n days before the cut."""
    rows = [(user, "a", CUT - timedelta(days=n + step)) for n, user in enumerate(USERS) for step in range(n + 1)]
    return pl.DataFrame(rows, schema=["user_id", "item_id", "timestamp"], orient="row")


def test_users_are_divided_by_how_much_they_did_how_long_ago_and_by_their_columns(events):
    found = user_groups(pl.Series(USERS), events, TABLE, columns=["country", "age"], has_time=True)
    sizes = {group.label: int(group.users.sum()) for group in found}
    assert [name.partition(":")[0] for name in sizes] == ["activity"] * 3 + ["last event"] * 3 + ["country of users"] * 2 + [
        "age of users"
    ] * 3
    assert list(sizes.values()) == [30, 30, 30, 30, 30, 30, 90, 30, 30, 30, 30]
    assert found[0].name.startswith("up to 30") and found[0].users[:30].all()
    assert not [g for g in user_groups(pl.Series(USERS), events, None, columns=[], has_time=False) if g.segment == "last event"]


def test_items_are_divided_into_thirds_of_all_events():
    catalogue = pl.DataFrame({"item_id": list("abcdef"), "count": [2, 10, 2, 2, 10, 4]})
    groups = item_groups(catalogue, None, columns=[])
    assert [group.items.nonzero()[0].tolist() for group in groups] == [[1], [4], [0, 2, 3, 5]]
    assert groups[0].name == "the 1 most popular items"


def test_a_column_that_is_none_is_refused_with_those_there_are():
    check_columns(["age", "country"], [None, TABLE])
    with pytest.raises(ConfigError, match="got 'town'; there are: country, age"):
        check_columns(["town"], [None, TABLE])
