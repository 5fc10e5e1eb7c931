"""What the columns of a stranger's table are likely to be: names, times and attributes, guessed from what is in them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from recsys.core.columns import EVENT, ITEM_ID, TIMESTAMP, USER_ID, WEIGHT
from recsys.data.files import AttributeColumns

Unit = Literal["s", "ms", "us"]

# By column of ours, names of theirs without case and blanks, the surest first.
_NAMES: Mapping[str, Sequence[str]] = {
    USER_ID: [
        "userid",
        "user",
        "customerid",
        "customer",
        "visitorid",
        "visitor",
        "clientid",
        "client",
        "memberid",
        "buyerid",
        "accountid",
        "account",
        "reviewerid",
        "uid",
        "sessionid",
        "session",
        "cid",
    ],
    ITEM_ID: [
        "itemid",
        "item",
        "productid",
        "product",
        "stockcode",
        "articleid",
        "article",
        "movieid",
        "trackid",
        "songid",
        "sku",
        "skuid",
        "asin",
        "businessid",
        "contentid",
        "videoid",
        "newsid",
        "offerid",
        "goodsid",
        "iid",
        "pid",
    ],
    TIMESTAMP: [
        "timestamp",
        "time",
        "datetime",
        "date",
        "eventtime",
        "createdat",
        "created",
        "orderedat",
        "orderdate",
        "invoicedate",
        "purchasedate",
        "purchasedat",
        "boughtat",
        "tdat",
        "unixreviewtime",
        "ts",
        "eventdate",
    ],
    WEIGHT: ["weight", "rating", "stars", "quantity", "qty", "score", "count", "price"],
    EVENT: ["event", "eventtype", "action", "behavior", "behaviour", "type"],
}
_FORMATS = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%#z",
    "%Y-%m-%d %H:%M:%S%#z",
    "%Y-%m-%dT%H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d",
    "%Y%m%d",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d.%m.%Y",
)
_LATEST = {"s": 10**11, "ms": 10**14, "us": 10**17}
_DAY = r"^\s*(19|20)\d{6}\s*$"
_NUMBER = r"^\s*[+-]?\d+(\.0*)?\s*$"
_FEW_VALUES, _SHARE_OF_ROWS = 64, 0.05
_SEPARATORS = ("|", ";", ",")


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeGuess:
    """How a column of times is read.

    Attributes:
        unit: Of whole numbers since 1970.
        text_format: strftime format of text; None where the values are numbers, dates or times already.
        is_ambiguous: Whether all values can be read month first just as well as day first.
    """

    unit: Unit = "s"
    text_format: str | None = None
    is_ambiguous: bool = False


def guess_columns(names: Sequence[str]) -> dict[str, str]:
    """Our column names to theirs, for those that can be told by their name.

    >>> guess_columns(["Customer ID", "StockCode", "InvoiceDate", "Description"])
    {'user_id': 'Customer ID', 'item_id': 'StockCode', 'timestamp': 'InvoiceDate'}
    """
    plain = {re.sub(r"[^a-z0-9]", "", name.lower()): name for name in reversed(names)}
    found: dict[str, str] = {}
    for ours, theirs in _NAMES.items():
        named = next((plain[name] for name in theirs if name in plain and plain[name] not in found.values()), None)
        if named is not None:
            found[ours] = named
    return found


def guess_time(values: pl.Series) -> TimeGuess | None:
    """How times are read; None if nothing reads all of them.

    Args:
        values: A sample of the column.
    """
    known = values.drop_nulls()
    if known.dtype.is_integer() and len(known) and known.cast(pl.String).str.contains(_DAY).all():
        known = known.cast(pl.String)
    if known.dtype.is_temporal():
        return TimeGuess()
    if known.dtype == pl.String():
        if not known.str.contains(_NUMBER).all() or known.str.contains(_DAY).all():
            read = (text_format for text_format in _FORMATS if _reads_all(known, text_format))
            text_format = next(read, None)
            if text_format is None:
                return None
            month_first = text_format.replace("%d/%m", "%m/%d")
            is_ambiguous = month_first != text_format and _reads_all(known, month_first)
            return TimeGuess(text_format=text_format, is_ambiguous=is_ambiguous)
        known = known.str.strip_chars().str.replace(r"\.0*$", "").cast(pl.Int64, strict=False).drop_nulls()
    if not known.dtype.is_numeric() or known.is_empty():
        return None
    latest = float(known.cast(pl.Float64).to_numpy().max())
    units: tuple[Unit, ...] = ("s", "ms", "us")
    unit = next((unit for unit in units if latest < _LATEST[unit]), None)
    return None if unit is None else TimeGuess(unit=unit)


def guess_attributes(table: pl.DataFrame, key: str) -> tuple[AttributeColumns, dict[str, str]]:
    """Which columns of items or users hold text, categories and numbers, and what separates categories in a cell.

    Few different values, or lists, are categories; other text is text; numbers and times are what they are; links, durations
    and vectors are left out.

    Args:
        table: The table, or a sample of it.
        key: The id column, which is no attribute.

    Returns:
        The columns, and what stands between categories in those that hold several in a cell.
    """
    text, categories, numbers, times, separators = [], [], [], [], {}
    for name, dtype in table.schema.items():
        if name == key:
            continue
        values = table[name].drop_nulls()
        if isinstance(dtype, pl.List):
            if not dtype.inner.is_nested() and not dtype.inner.is_float():
                categories.append(name)
        elif dtype == pl.Date() or isinstance(dtype, pl.Datetime):
            times.append(name)
        elif dtype.is_numeric():
            numbers.append(name)
        elif dtype in (pl.Boolean(), pl.Categorical()) or isinstance(dtype, pl.Enum):
            categories.append(name)
        elif dtype == pl.String() and len(values) and not values.str.contains(r"^https?://").all():
            if (own := _separator_of(values)) is not None:
                categories.append(name)
                separators[name] = own
            elif values.str.contains(r"^\s*[+-]?\d+(\.\d+)?\s*$").all():
                numbers.append(name)
            elif values.n_unique() <= max(_FEW_VALUES, _SHARE_OF_ROWS * len(values)) and values.n_unique() < len(values):
                categories.append(name)
            else:
                text.append(name)
    return AttributeColumns(text=text, categories=categories, numbers=numbers, times=times), separators


def _reads_all(values: pl.Series, text_format: str) -> bool:
    frame = values.str.strip_chars().to_frame("value").lazy()
    has_clock = "%H" in text_format
    text = pl.col("value").str
    read = text.to_datetime(text_format, strict=False, time_unit="us") if has_clock else text.to_date(text_format, strict=False)
    return bool(len(values)) and not frame.select(read.is_null().any()).collect().item()


def _separator_of(values: pl.Series) -> str | None:
    """What cuts cells into few different words; None if nothing does."""
    for separator in _SEPARATORS:
        is_cut = values.str.contains(separator, literal=True)
        if is_cut.sum() > 0.1 * len(is_cut):
            words = values.str.split(separator).explode().str.strip_chars()
            if (
                words.n_unique() <= max(_FEW_VALUES, _SHARE_OF_ROWS * len(values))
                and words.str.len_chars().to_numpy().max() <= 40
            ):
                return separator
    return None
