"""A time column is read as the moment it says, or as null, never as another moment."""

from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.core.errors import SchemaError
from recsys.data.schema import TIME
from recsys.data.timestamps import parse_timestamp

_FACTOR = {"s": 1_000_000, "ms": 1_000, "us": 1}
_MOMENT = datetime(2020, 1, 1, 3, 5, 7, tzinfo=UTC)


def _read(values: pl.Series, *, unit: str = "s", time_format: str | None = None) -> list[int | None]:
    """Microseconds since 1970."""
    frame = values.alias("t").to_frame()
    read = frame.select(parse_timestamp("t", values.dtype, unit=unit, time_format=time_format))["t"]
    assert read.dtype == TIME
    return read.to_physical().to_list()


def _us(moment: datetime) -> int:
    return round(moment.timestamp()) * 1_000_000 + moment.microsecond


@pytest.mark.parametrize("dtype", [pl.Int32, pl.Int64, pl.UInt32, pl.UInt64])
def test_integers_are_seconds_whatever_their_width(dtype: Any) -> None:
    assert _read(pl.Series([0, 1_577_847_907, None], dtype=dtype)) == [0, _us(_MOMENT), None]


@pytest.mark.parametrize(("unit", "value"), [("s", 1_577_847_907), ("ms", 1_577_847_907_000), ("us", 1_577_847_907_000_000)])
def test_each_unit_of_integers_gives_the_same_moment(unit: str, value: int) -> None:
    assert _read(pl.Series([value]), unit=unit) == [_us(_MOMENT)]
    assert _read(pl.Series([str(value)]), unit=unit) == [_us(_MOMENT)]
    assert _read(pl.Series([float(value)]), unit=unit) == [_us(_MOMENT)]


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1), st.sampled_from(["s", "ms", "us"]))
def test_an_integer_is_its_exact_moment_or_null_but_never_wraps_round(values: list[int], unit: str) -> None:
    for given_value, read in zip(values, _read(pl.Series(values, dtype=pl.Int64), unit=unit), strict=True):
        assert read in (None, given_value * _FACTOR[unit])
    assert _read(pl.Series([str(value) for value in values]), unit=unit) == _read(pl.Series(values, dtype=pl.Int64), unit=unit)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 4_102_444_799))
def test_every_second_until_2100_is_read(second: int) -> None:
    assert _read(pl.Series([second])) == [second * 1_000_000]


def test_numbers_too_large_for_any_time_become_null() -> None:
    assert _read(pl.Series([2**64 - 1, 5], dtype=pl.UInt64)) == [None, 5_000_000]
    assert _read(pl.Series(["9" * 19, "9" * 30, "5"])) == [None, None, 5_000_000]
    assert _read(pl.Series([1e30, float("inf"), float("nan"), None, 5.0])) == [None, None, None, None, 5_000_000]


def test_text_may_carry_a_sign_and_zeros_behind_the_point() -> None:
    assert _read(pl.Series(["+5", "-5", "007", "881250949.0", "5.", "5.000"])) == [
        5_000_000,
        -5_000_000,
        7_000_000,
        881_250_949_000_000,
        5_000_000,
        5_000_000,
    ]


@pytest.mark.parametrize("text", ["", "abc", "2020-01-01", "12:00", "1e9", "5 6", "0x10"])
def test_text_that_is_no_integer_becomes_null(text: str) -> None:
    assert _read(pl.Series([text, "1"])) == [None, 1_000_000]


def test_a_date_is_midnight_utc() -> None:
    assert _read(pl.Series([date(2020, 1, 1), None])) == [_us(datetime(2020, 1, 1, tzinfo=UTC)), None]


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_a_time_without_a_zone_is_utc_and_one_with_a_zone_is_converted(unit: Any) -> None:
    naive = pl.Series([_MOMENT.replace(tzinfo=None)], dtype=pl.Datetime(unit))
    assert _read(naive) == [_us(_MOMENT)]
    assert _read(naive.dt.replace_time_zone("UTC")) == [_us(_MOMENT)]
    assert _read(naive.dt.replace_time_zone("Asia/Tokyo")) == [_us(_MOMENT) - 9 * 3600 * 1_000_000]


def test_a_time_too_far_for_microseconds_becomes_null() -> None:
    assert _read(pl.Series([2**62, 1_000], dtype=pl.Int64).cast(pl.Datetime("ms"))) == [None, 1_000_000]


@pytest.mark.parametrize(
    ("text", "time_format"),
    [
        ("2020-01-01 03:05:07", "%Y-%m-%d %H:%M:%S"),
        (" 2020-01-01 03:05:07 ", "%Y-%m-%d %H:%M:%S"),
        ("2020-01-01T03:05:07", "%FT%T"),
        ("01/01/2020 03:05:07 AM", "%m/%d/%Y %I:%M:%S %p"),
        ("1577847907", "%s"),
        ("Wed Jan  1 03:05:07 2020", "%c"),
        ("2020-01-01T05:05:07+0200", "%Y-%m-%dT%H:%M:%S%z"),
        ("2019-12-31T22:05:07-05:00", "%Y-%m-%dT%H:%M:%S%:z"),
        ("2020-01-01T05:05:07+02", "%Y-%m-%dT%H:%M:%S%#z"),
        ("2020-01-01T05:05:07+02:00", "%+"),
        ("2020-01-01 3:05:07", "%Y-%m-%d %-H:%M:%S"),
        ("2020-01-01 3:05:07 AM", "%Y-%m-%d %-I:%M:%S %p"),
        ("2020-01-01  3:05:07", "%Y-%m-%d %k:%M:%S"),
        ("2020-01-01 03:05:07 AM", "%F %r"),
    ],
)
def test_every_way_to_write_a_moment_gives_that_moment(text: str, time_format: str) -> None:
    assert _read(pl.Series([text, "never", None]), time_format=time_format) == [_us(_MOMENT), None, None]


def test_minutes_and_fractions_of_seconds_are_kept() -> None:
    assert _read(pl.Series(["2020-01-01 03:05"]), time_format="%F %R") == [_us(_MOMENT.replace(second=0))]
    fraction = _read(pl.Series(["2020-01-01T03:05:07.250Z"]), time_format="%Y-%m-%dT%H:%M:%S%.fZ")
    assert fraction == [_us(_MOMENT) + 250_000]


def test_a_format_without_hours_gives_midnight_and_refuses_impossible_days() -> None:
    read = _read(pl.Series([" 31/12/2020", "32/12/2020", "30/02/2020"]), time_format="%d/%m/%Y")
    assert read == [_us(datetime(2020, 12, 31, tzinfo=UTC)), None, None]


def test_two_offsets_in_one_column_are_both_respected() -> None:
    texts = pl.Series(["2020-01-01T03:05:07+0000", "2020-01-01T03:05:07+0500"])
    assert _read(texts, time_format="%Y-%m-%dT%H:%M:%S%z") == [_us(_MOMENT), _us(_MOMENT) - 5 * 3600 * 1_000_000]


@pytest.mark.parametrize("dtype", [pl.Boolean(), pl.List(pl.Int64()), pl.Time(), pl.Duration("us")])
def test_a_type_that_holds_no_time_is_refused_by_name(dtype: pl.DataType) -> None:
    with pytest.raises(SchemaError, match=r"column 'when' must be Datetime\(UTC\).*got " + str(dtype).split("(")[0]):
        parse_timestamp("when", dtype, unit="s", time_format=None)


def test_whole_numbers_are_read_by_a_format_of_digits_and_by_no_other() -> None:
    days = pl.Series([20_200_101, 20_201_399, None])
    assert _read(days, time_format="%Y%m%d") == [_us(datetime(2020, 1, 1, tzinfo=UTC)), None, None]
    assert _read(pl.Series([1_577_847_907]), time_format="%Y-%m-%d") == [_us(_MOMENT)]


def test_a_fraction_of_a_second_has_as_many_digits_as_it_has() -> None:
    texts = ["2024-01-01 00:00:00.9", "2024-01-01 00:00:00.123456", "2024-01-01 00:00:00.5", "2024-01-01 00:00:00.050"]
    frame = pl.DataFrame({"t": texts})
    read = frame.select(parse_timestamp("t", pl.String(), unit="s", time_format="%Y-%m-%d %H:%M:%S.%f"))["t"]
    assert read.dt.microsecond().to_list() == [900_000, 123_456, 500_000, 50_000]
