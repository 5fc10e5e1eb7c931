"""The S3-Rec format: one user a line, `user item item …`, oldest first, no timestamps.

Source: Zhou et al., "S3-Rec", CIKM 2020, and the files its authors published.
"""

import gzip
import json
from pathlib import Path

import polars as pl

from recsys.core.columns import ITEM_ID, TIMESTAMP, USER_ID
from recsys.core.errors import SourceError
from recsys.core.files import sha256_of
from recsys.data.scan import local_files
from recsys.data.schema import CATEGORIES, TIME, RawTables

_LICENCE = "research use of the reviews it was made from; cite the papers; do not redistribute"


def read_s3rec(*, interactions: str, attributes: str | None = None) -> RawTables:
    """Read histories whose order is their time: the n-th item of a user gets the time 1970-01-01 plus n seconds.

    Args:
        interactions: The `.txt` or `.txt.gz` file.
        attributes: The `item2attributes.json` file (plain or gzipped): item to a list of attribute ids.

    Raises:
        SourceError: A file is missing, empty, or not of this format.
    """
    path = local_files(interactions, name="interactions")[0]
    text = _read_text(path)
    lines = pl.DataFrame({"line": text.splitlines()}, schema={"line": pl.String()})
    cells = lines.lazy().select(pl.col("line").str.strip_chars().str.split(" ")).filter(pl.col("line").list.len() > 0)
    if lines.is_empty() or cells.select(pl.col("line").list.len().max()).collect().item() in (None, 1):
        raise SourceError(f"interactions: {path} must hold lines 'user item item …', got none; check [ingest] interactions")
    log = (
        cells.select(user=pl.col("line").list.first(), item=pl.col("line").list.slice(1))
        .with_columns(position=pl.int_ranges(1, pl.col("item").list.len() + 1))
        .explode("item", "position")
        .drop_nulls("item")
        .select(
            pl.col("user").alias(USER_ID),
            pl.col("item").alias(ITEM_ID),
            (pl.col("position") * 1_000_000).cast(TIME).alias(TIMESTAMP),
        )
    )
    hashes = {str(path): sha256_of(path)}
    items = None
    if attributes is not None:
        side = local_files(attributes, name="items")[0]
        items, hashes[str(side)] = _read_item_attributes(side), sha256_of(side)
    return RawTables(interactions=log, items=items, has_time=False, files=hashes, licence=_LICENCE)


def _read_item_attributes(path: Path) -> pl.DataFrame:
    try:
        table = json.loads(_read_text(path))
        lists = {str(item): [str(value) for value in values] for item, values in table.items()}
        if any(isinstance(values, str) for values in table.values()):
            raise TypeError
    except (ValueError, AttributeError, TypeError):
        raise SourceError(f"items: {path} must be JSON of item to list of attributes, got something else") from None
    return pl.DataFrame(
        {ITEM_ID: list(lists), "attributes": list(lists.values())},
        schema={ITEM_ID: pl.String(), "attributes": CATEGORIES},
    )


def _read_text(path: Path) -> str:
    data = path.read_bytes()
    try:
        return (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise SourceError(f"{path} must be UTF-8 text (plain or gzipped), got: {error}") from None
