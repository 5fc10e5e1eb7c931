"""A user's own files are read as they are: ids stay text, rows keep their order, and messages name the cell."""

import gzip
from pathlib import Path

import polars as pl
import pytest

from recsys.core.errors import RecsysError, SchemaError, SourceError
from recsys.core.files import sha256_of
from recsys.data.files import AttributeColumns, as_categories, read_own_files
from recsys.data.scan import TextFormat, collect_source
from recsys.data.schema import CATEGORIES, INTERACTIONS, TIME, check_table

_LOG = "user_id,item_id,timestamp\n007,A,5\n7,a,3\n"
_ROWS = [("007", "A", 5), ("7", "a", 3)]


def _write(path: Path, text: str, encoding: str = "utf-8") -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    data = text.encode(encoding)
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return str(path)


def _log(location: str, **options) -> list[tuple[str, str, int]]:
    frame = read_own_files(interactions=location, **options).interactions
    check_table(frame, INTERACTIONS, name="interactions")
    return frame.select("user_id", "item_id", pl.col("timestamp").dt.epoch("s")).collect().rows()


@pytest.mark.parametrize(
    ("name", "text", "text_format"),
    [
        ("log.csv", _LOG, TextFormat()),
        ("log.csv.gz", _LOG, TextFormat()),
        ("log.tsv", _LOG.replace(",", "\t"), TextFormat()),
        ("log.tsv.gz", _LOG.replace(",", "\t"), TextFormat()),
        ("log.txt", _LOG.replace(",", ";"), TextFormat(separator=";")),
        ("log.dat", _LOG.replace(",", "::"), TextFormat(separator="::")),
        ("log.dat.gz", _LOG.replace(",", "::"), TextFormat(separator="::")),
        ("bare.dat", "007::A::5\n7::a::3\n", TextFormat(separator="::", header=["user_id", "item_id", "timestamp"])),
        ("bare.csv", "007,A,5\n7,a,3\n", TextFormat(header=["user_id", "item_id", "timestamp"])),
        ("windows.csv", _LOG.replace("\n", "\r\n"), TextFormat()),
        ("windows.dat", _LOG.replace(",", "::").replace("\n", "\r\n"), TextFormat(separator="::")),
        ("marked.csv", "\ufeff" + _LOG, TextFormat()),
        ("a[1].csv", _LOG, TextFormat()),
    ],
)
def test_every_way_to_write_the_log_gives_the_same_rows(tmp_path: Path, name: str, text: str, text_format: TextFormat) -> None:
    assert _log(_write(tmp_path / name, text), text_format=text_format) == _ROWS


@pytest.mark.parametrize("name", ["log.parquet", "log.pq", "a[1].parquet"])
def test_parquet_is_read_under_any_name(tmp_path: Path, name: str) -> None:
    pl.DataFrame(_ROWS, schema=["user_id", "item_id", "timestamp"], orient="row").write_parquet(tmp_path / name)
    assert _log(str(tmp_path / name)) == _ROWS


@pytest.mark.parametrize("separator", [",", "::"])
def test_a_glob_is_read_in_the_order_of_names_and_each_header_once(tmp_path: Path, separator: str) -> None:
    head, *rows = _LOG.replace(",", separator).splitlines()
    for name, row in (("2020-01", rows[0]), ("2020-02", rows[1])):
        _write(tmp_path / "years" / f"{name}.csv", f"{head}\n{row}\n")
    raw = read_own_files(interactions=str(tmp_path / "**" / "*.csv"), text_format=TextFormat(separator=separator))
    assert raw.interactions.select("user_id", "item_id").collect().rows() == [row[:2] for row in _ROWS]
    assert raw.files == {str(path): sha256_of(path) for path in sorted(tmp_path.rglob("*.csv"))}


def test_quoted_cells_may_hold_separators_and_empty_cells_are_null(tmp_path: Path) -> None:
    path = _write(tmp_path / "log.csv", 'user_id,item_id,timestamp\n"a,b",x,1\n,y,2\n')
    assert _log(path) == [("a,b", "x", 1), (None, "y", 2)]


def test_columns_are_found_under_the_names_of_the_file(tmp_path: Path) -> None:
    path = _write(tmp_path / "log.csv", "customer,stock,when,user_id\nu,a,5000,other\n")
    columns = {"user_id": "customer", "item_id": "stock", "timestamp": "when"}
    assert _log(path, columns=columns, timestamp_unit="ms") == [("u", "a", 5)]


def test_two_columns_may_change_their_names(tmp_path: Path) -> None:
    path = _write(tmp_path / "log.csv", "item_id,user_id,timestamp\nu,a,5\n")
    assert _log(path, columns={"user_id": "item_id", "item_id": "user_id"}) == [("u", "a", 5)]


def test_integer_ids_of_parquet_become_text_and_a_format_reads_the_times(tmp_path: Path) -> None:
    frame = pl.DataFrame({"user_id": [7], "item_id": [10], "timestamp": ["1970-01-02"]})
    frame.write_parquet(tmp_path / "log.parquet")
    assert _log(str(tmp_path / "log.parquet"), timestamp_format="%Y-%m-%d") == [("7", "10", 86_400)]


def test_weight_and_event_are_kept_and_other_columns_are_not(tmp_path: Path) -> None:
    path = _write(tmp_path / "log.csv", "user_id,item_id,timestamp,weight,event,note\nu,a,x,2.5,buy,n\nu,a,1,much,,n\n")
    log = read_own_files(interactions=path).interactions.collect()
    assert log.columns == ["user_id", "item_id", "timestamp", "timestamp_as_read", "weight", "event"]
    assert log.drop("timestamp").rows() == [("u", "a", "x", 2.5, "buy"), ("u", "a", "1", None, None)]


def test_attributes_become_text_categories_and_numbers(tmp_path: Path) -> None:
    items = _write(
        tmp_path / "items.csv",
        "item_id,title,genre,price\n07,Tale,a| b ||c,1.5\n8,,,\n07,Again,z,9\n,No id,z,1\n",
    )
    users = _write(tmp_path / "users.tsv", "user_id\tcity\nu\tRome\n")
    raw = read_own_files(
        interactions=_write(tmp_path / "log.csv", _LOG),
        items=items,
        users=users,
        user_format=TextFormat(separator="\t"),
        item_attributes=AttributeColumns(text=["title"], categories=["genre"], numbers=["price"]),
    )
    assert raw.items.schema == {"item_id": pl.String, "title": pl.String, "genre": CATEGORIES, "price": pl.Float64}
    assert raw.items.rows() == [("07", "Tale", ["a", "b", "c"], 1.5), ("8", None, [], None)]
    assert raw.users.rows() == [("u",)]
    assert set(raw.files) == {str(tmp_path / name) for name in ("log.csv", "items.csv", "users.tsv")}


def test_categories_and_numbers_of_parquet_keep_their_values(tmp_path: Path) -> None:
    frame = pl.DataFrame({"item_id": [1, 2], "genre": [[3, 4], None], "price": [float("nan"), 2.0]})
    frame.write_parquet(tmp_path / "items.parquet")
    raw = read_own_files(
        interactions=_write(tmp_path / "log.csv", _LOG),
        items=str(tmp_path / "items.parquet"),
        item_attributes=AttributeColumns(categories=["genre"], numbers=["price"]),
    )
    assert raw.items.rows() == [("1", ["3", "4"], None), ("2", [], 2.0)]


def test_a_struct_holds_no_categories() -> None:
    with pytest.raises(SchemaError, match="column 'genre' must hold text or lists of text, got Struct"):
        as_categories("genre", pl.Struct({"name": pl.String}), "|")


def test_another_category_separator_is_used(tmp_path: Path) -> None:
    raw = read_own_files(
        interactions=_write(tmp_path / "log.csv", _LOG),
        items=_write(tmp_path / "items.csv", "item_id,genre\na,x;y|z\n"),
        item_attributes=AttributeColumns(categories=["genre"]),
        category_separator=";",
    )
    assert raw.items["genre"].to_list() == [["x", "y|z"]]


def test_a_missing_column_is_named_with_what_there_is_and_how_to_map_it(tmp_path: Path) -> None:
    path = _write(tmp_path / "log.csv", "customer,item_id,timestamp\nu,a,5\n")
    with pytest.raises(SchemaError, match=r"interactions: column 'user_id' must be present, got customer, item_id, timestamp"):
        read_own_files(interactions=path)
    with pytest.raises(SchemaError, match=r"column 'client' must be present.*columns = \{ user_id = "):
        read_own_files(interactions=path, columns={"user_id": "client"})


def test_a_missing_attribute_is_named(tmp_path: Path) -> None:
    log, items = _write(tmp_path / "log.csv", _LOG), _write(tmp_path / "items.csv", "item_id,name\na,x\n")
    with pytest.raises(SchemaError, match="items: column 'title' must be present, got item_id, name"):
        read_own_files(interactions=log, items=items, item_attributes=AttributeColumns(text=["title"]))


@pytest.mark.parametrize("table", ["interactions", "items"])
def test_bytes_that_are_no_utf_8_are_a_source_error_for_the_user(tmp_path: Path, table: str) -> None:
    (tmp_path / "bad.csv").write_bytes(b"user_id,item_id,timestamp,event\nu,a,1,x\nu,b,2,Caf\xe9\n")
    paths = {"interactions": _write(tmp_path / "log.csv", _LOG)} | {table: str(tmp_path / "bad.csv")}
    with pytest.raises(SourceError, match=rf"{table}: .* must be .*readable.*, got: .*utf-8"):
        raw = read_own_files(**paths, item_attributes=AttributeColumns(text=["event"]))
        collect_source(raw.interactions, name="interactions")


def test_a_row_of_the_log_with_too_many_cells_is_a_source_error_for_the_user(tmp_path: Path) -> None:
    path = _write(tmp_path / "log.csv", _LOG + "u,b,2,3\n")
    with pytest.raises(SourceError, match="interactions: every row must be readable, got: found more fields"):
        collect_source(read_own_files(interactions=path).interactions, name="interactions")


def test_a_row_of_items_with_too_many_cells_does_not_shift_its_attributes(tmp_path: Path) -> None:
    items = _write(tmp_path / "items.csv", "item_id,title,genre,price\na,Tale,x,1\nb,Bread, and Roses,y,2\n")
    with pytest.raises(SourceError, match="items: every row must be readable"):
        read_own_files(
            interactions=_write(tmp_path / "log.csv", _LOG),
            items=items,
            item_attributes=AttributeColumns(text=["title"], categories=["genre"]),
        )


def test_a_log_cut_short_is_a_source_error_for_the_user(tmp_path: Path) -> None:
    rows = "".join(f"u{row},i{row * 7919 % 1000},{row * 104729}\n" for row in range(20_000))
    path = Path(_write(tmp_path / "log.csv.gz", "user_id,item_id,timestamp\n" + rows))
    path.write_bytes(path.read_bytes()[:-1_000])
    with pytest.raises(SourceError, match="interactions: "):
        collect_source(read_own_files(interactions=str(path)).interactions, name="interactions")


def test_ids_that_a_missing_value_turned_into_floats_lose_their_point_again(tmp_path: Path) -> None:
    frame = pl.DataFrame({"user_id": [7.0, None, float("nan"), 1e15], "item_id": [1.0, 2.5, 3.0, -4.0], "timestamp": [1] * 4})
    frame.write_parquet(tmp_path / "log.parquet")
    assert _log(str(tmp_path / "log.parquet")) == [
        ("7", "1", 1),
        (None, "2.5", 1),
        (None, "3", 1),
        ("1000000000000000", "-4", 1),
    ]


def test_a_quoted_name_of_a_column_may_hold_the_separator(tmp_path: Path) -> None:
    path = _write(tmp_path / "log.csv", 'user_id,item_id,timestamp,"price, eur","cost, eur"\nu,a,1,2,3\n')
    assert _log(path) == [("u", "a", 1)]


def test_files_of_a_glob_may_order_their_columns_differently(tmp_path: Path) -> None:
    _write(tmp_path / "a.csv", "user_id,item_id,timestamp\nu,a,1\n")
    _write(tmp_path / "b.csv", "timestamp,user_id,item_id,weight\n2,v,b,0.5\n")
    assert _log(str(tmp_path / "*.csv")) == [("u", "a", 1), ("v", "b", 2)]


@pytest.mark.parametrize("name", ["log.csv", "log.csv.gz"])
@pytest.mark.parametrize("text", ["\n", "\n\n", ""])
def test_a_file_of_blank_lines_is_an_error_for_the_user(tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(RecsysError, match="interactions: "):
        read_own_files(interactions=_write(tmp_path / name, text))


def test_a_number_that_is_a_word_is_refused_and_a_missing_one_is_not(tmp_path: Path) -> None:
    log, numbers = _write(tmp_path / "log.csv", _LOG), AttributeColumns(numbers=["price"])
    good = _write(tmp_path / "good.csv", "item_id,price\nA,1.5\na,\nb,NaN\n")
    assert read_own_files(interactions=log, items=good, item_attributes=numbers).items["price"].to_list() == [1.5, None, None]
    bad = _write(tmp_path / "bad.csv", "item_id,price\nA,1.5\na,cheap\n")
    with pytest.raises(SchemaError, match=r"items: column 'price' must hold numbers, got 'cheap' \(1 such rows\)"):
        read_own_files(interactions=log, items=bad, item_attributes=numbers)


def test_times_of_items_are_read_like_those_of_the_log_and_words_are_refused(tmp_path: Path) -> None:
    log, times = _write(tmp_path / "log.csv", _LOG), AttributeColumns(times=["until"])
    seconds = _write(tmp_path / "seconds.csv", "item_id,until\nA,86400\na,\n")
    read = read_own_files(interactions=log, items=seconds, item_attributes=times).items["until"]
    assert read.dt.epoch("s").to_list() == [86400, None]
    assert read.dtype == TIME
    text = _write(tmp_path / "text.csv", "item_id,until\nA,1970-01-02\na,\n")
    with pytest.raises(SchemaError, match=r"items: column 'until' must hold times, got '1970-01-02' \(1 such rows\)"):
        read_own_files(interactions=log, items=text, item_attributes=times)
    formatted = _write(tmp_path / "formatted.csv", "user_id,item_id,timestamp\n007,A,1970-01-01\n")
    read = read_own_files(interactions=formatted, items=text, item_attributes=times, timestamp_format="%Y-%m-%d").items["until"]
    assert read.dt.epoch("s").to_list() == [86400, None]
    with pytest.raises(SchemaError, match="column 'since' must be present"):
        read_own_files(interactions=log, items=text, item_attributes=AttributeColumns(times=["since"]))


def test_an_attribute_is_asked_for_once_and_is_not_the_id(tmp_path: Path) -> None:
    log, items = _write(tmp_path / "log.csv", _LOG), _write(tmp_path / "items.csv", "item_id,a\nA,x\n")
    for attributes in (AttributeColumns(text=["item_id"]), AttributeColumns(text=["a"], categories=["a"])):
        with pytest.raises(SchemaError, match="must be asked for once, got it twice or as the id"):
            read_own_files(interactions=log, items=items, item_attributes=attributes)
