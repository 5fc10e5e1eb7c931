"""Any reasonable time column to Datetime(us, UTC)."""

import re

import polars as pl

from recsys.core.errors import SchemaError
from recsys.data.schema import TIME

_MICROSECONDS = {"s": 1_000_000, "ms": 1_000, "us": 1}
_HAS_CLOCK = r"%[-_0]?[HIklTRrsXc]|%\+"
_DIGITS_ALONE = r"(%[YmdHMS])+"
_NUMBER = r"^[+-]?\d+(\.0*)?$"


def parse_timestamp(column: str, dtype: pl.DataType, *, unit: str, time_format: str | None) -> pl.Expr:
    """An expression that turns `column` into Datetime(us, UTC).

    Integers (also as text, as in a CSV) are seconds, milliseconds or microseconds since 1970; dates are midnight UTC;
    times without a zone are taken as UTC. Text needs a format. What cannot be read becomes null, for the caller to count.

    Args:
        column: The column's name.
        dtype: Its type.
        unit: `s`, `ms` or `us`: the unit of integers.
        time_format: A strftime format, for text, `.%f` being a fraction of a second; one that writes digits alone, such as
            `%Y%m%d`, holds for integers too.

    Raises:
        SchemaError: The type can hold no time, such as a list or a boolean.
    """
    value = pl.col(column)
    if dtype.is_integer():
        are_digits = time_format is not None and re.fullmatch(_DIGITS_ALONE, time_format)
        return _from_text(value.cast(pl.String), time_format or "") if are_digits else _from_integers(value, unit)
    if dtype.is_float():
        return _from_integers(value.fill_nan(None).cast(pl.Int64, strict=False), unit)
    if dtype == pl.Date():
        return value.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    if isinstance(dtype, pl.Datetime):
        # What is stored is UTC with a zone and, by our rule, without one.
        stored = value.to_physical()
        return _from_integers(stored // 1000, "us") if dtype.time_unit == "ns" else _from_integers(stored, dtype.time_unit)
    if dtype == pl.String() and time_format is not None:
        return _from_text(value, time_format)
    if dtype == pl.String():
        digits = pl.when(value.str.contains(_NUMBER)).then(value.str.replace(r"\.0*$", ""))
        return _from_integers(digits.cast(pl.Int64, strict=False), unit)
    raise SchemaError(
        f"interactions: column '{column}' must be Datetime(UTC), a date, text or integer seconds, got {dtype}; "
        "map another column with [ingest] columns"
    )


def _from_integers(value: pl.Expr, unit: str) -> pl.Expr:
    # A product that leaves 64 bits would wrap round to a plausible date, so what is out of range becomes null.
    limit = 9_000_000_000_000_000_000 // _MICROSECONDS[unit]
    whole = value.cast(pl.Int64, strict=False)
    inside = pl.when(whole.is_between(-limit, limit)).then(whole)
    return (inside * _MICROSECONDS[unit]).cast(TIME)


def _from_text(value: pl.Expr, time_format: str) -> pl.Expr:
    # Python's fraction of a second, of one to six digits; here `%f` alone would be a whole number of nanoseconds.
    time_format = time_format.replace(".%f", "%.f")
    if not re.search(_HAS_CLOCK, time_format):
        day = value.str.strip_chars().str.to_date(time_format, strict=False)
        return day.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    zoned = any(token in time_format for token in ("%z", "%:z", "%#z", "%+"))
    parsed = value.str.strip_chars().str.to_datetime(time_format, time_unit="us", strict=False)
    return parsed.dt.convert_time_zone("UTC") if zoned else parsed.dt.replace_time_zone("UTC")
