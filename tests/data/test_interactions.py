"""Cleaning drops what it says it drops, refuses the rest, and keeps the order of ties."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.core.errors import DataError, SchemaError
from recsys.data.interactions import Cleaning, clean_interactions
from recsys.data.schema import INTERACTIONS, TIME
from recsys.data.ties import Ties

Row = tuple[str | None, str | None, int | None]
_ROWS = st.lists(st.tuples(st.sampled_from("uvwxy"), st.sampled_from("abcde"), st.integers(0, 3)), min_size=1, max_size=40)


def _log(rows: list[Row], **more: Any) -> pl.LazyFrame:
    user, item, seconds = zip(*rows, strict=True) if rows else ((), (), ())
    frame = pl.DataFrame({"user_id": user, "item_id": item, "s": seconds, **more}, schema_overrides={"s": pl.Int64})
    frame = frame.with_columns(pl.col("user_id", "item_id").cast(pl.String), timestamp=(pl.col("s") * 1_000_000).cast(TIME))
    return frame.drop("s").lazy()


def _clean(
    log: pl.LazyFrame, *, user: int = 1, item: int = 1, missing: str = "stop", ties: Ties = "file", seed: int = 0
) -> Cleaning:
    return clean_interactions(
        log, min_user_interactions=user, min_item_interactions=item, missing_ids=missing, ties=ties, seed=seed
    )


def _rows(cleaning: Cleaning) -> list[tuple[str, str, int]]:
    frame = cleaning.interactions.with_columns(pl.col("timestamp").dt.epoch("s"))
    return frame.select("user_id", "item_id", "timestamp").rows()


def test_the_clean_log_is_sorted_by_user_and_time() -> None:
    clean = _clean(_log([("v", "a", 9), ("u", "b", 5), ("u", "a", 2)]))
    assert _rows(clean) == [("u", "a", 2), ("u", "b", 5), ("v", "a", 9)]
    assert clean.interactions.schema == INTERACTIONS
    assert clean.rows_in == 3


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.sampled_from("uv"), st.integers(0, 99), st.integers(0, 2)), min_size=2, unique=True))
def test_ties_of_time_can_keep_the_order_of_the_file(rows: list[tuple[str, int, int]]) -> None:
    named = [(user, f"i{item}", second) for user, item, second in rows]
    named += [("z", "one", 0), ("z", "two", 0)]
    assert _rows(_clean(_log(named), ties="file")) == sorted(named, key=lambda row: (row[0], row[2]))


def test_ties_can_be_shuffled_and_the_cleaning_says_how() -> None:
    log = _log([("u", f"i{position}", 1) for position in range(50)])
    plain, shuffled, again, other = (
        _clean(log, **order) for order in ({"ties": "file"}, *({"ties": "shuffled", "seed": s} for s in (3, 3, 4)))
    )
    assert _rows(shuffled) == _rows(again)
    assert sorted(_rows(shuffled)) == sorted(_rows(plain)) == sorted(_rows(other))
    assert len({str(_rows(each)) for each in (plain, shuffled, other)}) == 3
    assert (plain.ties, shuffled.ties) == ("file", "shuffled")


def test_by_default_events_of_one_time_are_sets_unless_their_order_is_told_to_be_information() -> None:
    baskets = _clean(
        _log([(f"u{user}", f"i{(user + position) % 40:02}", 1) for user in range(40) for position in range(5)]), ties="auto"
    )
    assert baskets.ties == "sets"
    assert _clean(_log([("u", "a", 1), ("u", "b", 2)]), ties="auto").ties == "file"


def test_ids_keep_their_leading_zeros_and_their_case() -> None:
    assert _rows(_clean(_log([("007", "A", 1), ("7", "a", 1)]))) == [("007", "A", 1), ("7", "a", 1)]


def test_only_rows_equal_in_every_column_are_duplicates() -> None:
    rows: list[Row] = [("u", "a", 1), ("u", "a", 1), ("u", "a", 1), ("u", "a", 2), ("u", "b", 1)]
    clean = _clean(_log(rows, weight=[1.0, 1.0, 2.0, 1.0, 1.0]))
    assert clean.dropped == {"blank": 0, "missing_id": 0, "duplicate": 1, "under_minimum": 0}
    assert clean.interactions["weight"].to_list() == [1.0, 2.0, 1.0, 1.0]


def test_the_first_of_two_duplicates_keeps_its_position_among_ties() -> None:
    assert _rows(_clean(_log([("u", "a", 1), ("u", "b", 1), ("u", "a", 1)]))) == [("u", "a", 1), ("u", "b", 1)]


@pytest.mark.parametrize("hole", [(None, "a", 1), ("u", None, 1), ("", "a", 1), ("u", "", 1)])
def test_a_row_without_an_id_stops_or_is_dropped_as_asked(hole: Row) -> None:
    log = _log([("u", "a", 1), ("u", "b", 1), hole])
    with pytest.raises(DataError, match=r"user_id and item_id must not be null, got 1 such rows, first at row 3"):
        _clean(log)
    clean = _clean(log, missing="drop")
    assert clean.dropped["missing_id"] == 1
    assert _rows(clean) == [("u", "a", 1), ("u", "b", 1)]


def test_a_time_that_cannot_be_read_is_named_as_it_was_read() -> None:
    log = _log([("u", "a", 1), ("u", "b", None)], timestamp_as_read=["1", "yesterday"])
    with pytest.raises(SchemaError, match=r"'timestamp' must be Datetime\(UTC\).*got 'yesterday' at row 2 \(1 such rows\)"):
        _clean(log)


@pytest.mark.parametrize("as_read", ["99999999999999999999", "-99999999999999999999", "4611686018427387904"])
def test_a_number_that_no_time_can_hold_is_refused_as_a_matter_of_units(as_read: str) -> None:
    log = _log([("u", "a", 1), ("u", "b", None)], timestamp_as_read=["1", as_read])
    with pytest.raises(DataError, match=rf"between 1970 and 2100, got {as_read} at row 2 \(1 such rows\).*timestamp_unit"):
        _clean(log)


def test_an_empty_cell_of_time_is_named_as_missing() -> None:
    log = _log([("u", "a", 1), ("u", "b", None)], timestamp_as_read=["1", None])
    with pytest.raises(SchemaError, match="got None at row 2"):
        _clean(log)


@pytest.mark.parametrize("second", [-1, -(10**9), 4_102_444_800, 881_250_949_000, 8_000_000_000_000])
def test_a_time_before_1970_or_after_2100_is_refused(second: int) -> None:
    with pytest.raises(DataError, match=r"timestamp must lie between 1970 and 2100, got .* at row 2 \(1 such rows\)"):
        _clean(_log([("u", "a", 1), ("u", "b", second)]))


def test_an_absurd_time_is_named_as_it_was_read() -> None:
    log = _log([("u", "a", 1), ("u", "b", 881_250_949_000)], timestamp_as_read=["1", "881250949000"])
    with pytest.raises(DataError, match=r"got 881250949000 at row 2 .*timestamp_unit"):
        _clean(log)


def test_the_first_and_the_last_second_that_are_allowed_are_kept() -> None:
    assert len(_rows(_clean(_log([("u", "a", 0), ("u", "b", 4_102_444_799)])))) == 2


def test_what_was_read_of_the_time_is_no_column_of_the_clean_log() -> None:
    log = _log([("u", "a", 1), ("u", "b", 2)], timestamp_as_read=["1", "2"])
    assert _clean(log).interactions.columns == ["user_id", "item_id", "timestamp"]


def test_two_spellings_of_one_moment_are_one_event() -> None:
    log = _log([("u", "a", 1), ("u", "a", 1), ("u", "b", 1)], timestamp_as_read=["1", "1.0", "1"])
    assert _clean(log).dropped["duplicate"] == 1


def test_further_columns_survive_whatever_they_are_called() -> None:
    clean = _clean(_log([("u", "a", 2), ("u", "b", 1)], event=["buy", "view"], row=[7, 8]))
    assert clean.interactions["event"].to_list() == ["view", "buy"]
    assert clean.interactions["row"].to_list() == [8, 7]


@settings(deadline=None, max_examples=40)
@given(_ROWS, st.integers(1, 4), st.integers(1, 4))
def test_both_minimums_hold_and_no_larger_log_would_do(rows: list[tuple[str, str, int]], user: int, item: int) -> None:
    wanted = list(dict.fromkeys(rows))
    while True:
        users, items = Counter(row[0] for row in wanted), Counter(row[1] for row in wanted)
        kept = [row for row in wanted if users[row[0]] >= user and items[row[1]] >= item]
        if len(kept) == len(wanted):
            break
        wanted = kept
    if len({row[1] for row in wanted}) < 2:
        with pytest.raises(DataError):
            _clean(_log(rows), user=user, item=item)
        return
    clean = _clean(_log(rows), user=user, item=item)
    assert _rows(clean) == sorted(wanted, key=lambda row: (row[0], row[2]))
    assert len(rows) == len(wanted) + sum(clean.dropped.values())


def test_a_chain_of_rare_users_and_items_is_followed_to_its_end() -> None:
    core: list[Row] = [(user, item, 1) for user in ("x", "y") for item in ("p", "q")]
    chain: list[Row] = [("u", "a", 1), ("u", "b", 1), ("v", "b", 1), ("v", "c", 1), ("w", "c", 1), ("w", "p", 1)]
    clean = _clean(_log(chain + core), user=2, item=2)
    assert _rows(clean) == core
    assert clean.dropped["under_minimum"] == len(chain)


def test_a_log_without_rows_is_refused() -> None:
    with pytest.raises(DataError, match="the log must hold rows, got none"):
        _clean(_log([]))


def test_minimums_that_leave_nothing_are_named() -> None:
    with pytest.raises(DataError, match=r"some user must have 5 events on items with 2 events, got none among 2 rows"):
        _clean(_log([("u", "a", 1), ("u", "b", 1)]), user=5, item=2)


def test_one_item_is_nothing_to_rank() -> None:
    with pytest.raises(DataError, match="at least 2 different items are needed, got 1"):
        _clean(_log([("u", "a", 1), ("v", "a", 1)]))


def test_a_log_without_a_needed_column_or_of_another_type_is_refused() -> None:
    log = _log([("u", "a", 1), ("u", "b", 1)])
    with pytest.raises(SchemaError, match="column 'item_id' must be present"):
        _clean(log.drop("item_id"))
    with pytest.raises(SchemaError, match="column 'timestamp' must be Datetime"):
        _clean(log.with_columns(timestamp=pl.lit(datetime(2020, 1, 1, tzinfo=UTC).date())))


def test_the_last_days_are_left_out_before_anything_else_looks_at_them() -> None:
    day = 86_400
    log = _log([("u", "a", 0), ("u", "b", day // 2), ("u", "c", 3 * day), ("v", "a", 9), ("v", "b", day), ("v", "c", 4 * day)])
    clean = clean_interactions(
        log, min_user_interactions=2, min_item_interactions=1, missing_ids="stop", ties="file", days_left_out=3
    )
    assert _rows(clean) == [("u", "a", 0), ("u", "b", day // 2)], "v has one event before the end, and is under the minimum"
    assert clean.dropped["after_the_end"] == 3 and clean.dropped["under_minimum"] == 1
    assert clean.end is not None and clean.end.timestamp() == day
    with pytest.raises(DataError, match="some events must be older than 9 days"):
        clean_interactions(log, min_user_interactions=1, min_item_interactions=1, missing_ids="stop", days_left_out=9)
