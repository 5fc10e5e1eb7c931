from datetime import UTC, date, datetime

import polars as pl
import pytest

from recsys.data.guesses import guess_attributes, guess_columns, guess_time


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (["visitorid", "itemid", "timestamp", "event"], ["visitorid", "itemid", "timestamp", None, "event"]),
        (["userId", "movieId", "rating", "timestamp"], ["userId", "movieId", "timestamp", "rating", None]),
        (
            ["Customer ID", "StockCode", "InvoiceDate", "Quantity"],
            ["Customer ID", "StockCode", "InvoiceDate", "Quantity", None],
        ),
        (["a", "b"], [None] * 5),
    ],
)
def test_columns_are_told_by_their_names(names: list[str], wanted: list[str | None]) -> None:
    found = guess_columns(names)
    assert [found.get(name) for name in ("user_id", "item_id", "timestamp", "weight", "event")] == wanted


@pytest.mark.parametrize(
    ("values", "unit", "text_format"),
    [
        ([1_600_000_000], "s", None),
        ([1_600_000_000_000], "ms", None),
        ([1_600_000_000_000_000], "us", None),
        (["1600000000", "1600000001.0"], "s", None),
        (["2026-01-02 03:04:05"], "s", "%Y-%m-%d %H:%M:%S"),
        (["2026-01-02T03:04:05Z", "2026-01-02T03:04:05+02:00"], "s", "%Y-%m-%dT%H:%M:%S%#z"),
        (["2026-01-02"], "s", "%Y-%m-%d"),
        (["20260102", "20251231"], "s", "%Y%m%d"),
        (["12/1/2010 8:26", "12/31/2010 8:26"], "s", "%m/%d/%Y %H:%M"),
        (["31/12/2010 08:26"], "s", "%d/%m/%Y %H:%M"),
        ([20260102, 20251231], "s", "%Y%m%d"),
        ([date(2026, 1, 2)], "s", None),
        ([datetime(2026, 1, 2, tzinfo=UTC)], "s", None),
    ],
)
def test_times_are_told_by_their_values(values: list[object], unit: str, text_format: str | None) -> None:
    guess = guess_time(pl.Series(values))
    assert guess is not None and (guess.unit, guess.text_format) == (unit, text_format)


@pytest.mark.parametrize("values", [["soon"], ["2026-01-02", "never"], [True], [[1]], [10**18]])
def test_what_is_no_time_is_none(values: list[object]) -> None:
    assert guess_time(pl.Series(values)) is None


def test_attributes_are_told_by_their_values() -> None:
    n = 200
    table = pl.DataFrame(
        {
            "item_id": range(n),
            "title": [f"Tale {number}" for number in range(n)],
            "genres": ["Drama|War", "Comedy"] * (n // 2),
            "colour": ["red", "blue"] * (n // 2),
            "price": [1.5] * n,
            "year": ["1999"] * n,
            "tags": [["a", "b"]] * n,
            "page": [f"https://shop/{number}" for number in range(n)],
            "released": [date(2026, 1, 2)] * n,
            "is_new": [True] * n,
        }
    )
    found, separators = guess_attributes(table, "item_id")
    assert found.text == ["title"]
    assert found.categories == ["genres", "colour", "tags", "is_new"]
    assert found.numbers == ["price", "year"]
    assert found.times == ["released"]
    assert separators == {"genres": "|"}


def test_dates_that_can_be_read_in_two_ways_are_said_to_be() -> None:
    assert guess_time(pl.Series(["01/02/2026", "03/04/2026"])).is_ambiguous
    assert not guess_time(pl.Series(["01/02/2026", "13/04/2026"])).is_ambiguous
    assert not guess_time(pl.Series(["01/02/2026", "04/13/2026"])).is_ambiguous
    assert not guess_time(pl.Series(["01.02.2026"])).is_ambiguous
