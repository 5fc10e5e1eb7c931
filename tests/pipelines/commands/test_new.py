import gzip
import json
import re
import tomllib
from pathlib import Path

import polars as pl
import pytest

from pipelines.commands.new import guess_separator
from pipelines.settings.profile import read_profile


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A shop's export: other names, semicolons, German times, and a table of articles."""
    rows = [
        f"{day:02d}.03.2026 1{day % 10}:30;0{user};85123A{user % 3};{user + 1}" for user in range(1, 9) for day in range(1, 6)
    ]
    (tmp_path / "sales.csv").write_text("InvoiceDate;Customer ID;StockCode;Quantity\n" + "\n".join(rows) + "\n")
    articles = {
        "StockCode": [f"85123A{n}" for n in range(3)],
        "Description": ["WHITE HANGING HEART", "RED TEAPOT", "BLUE TEAPOT"],
        "Department": ["home", "kitchen", "kitchen"],
        "Year": [2024, 2025, 2025],
    }
    pl.DataFrame(articles).write_csv(tmp_path / "articles.csv", separator=";")
    return tmp_path


@pytest.mark.slow
def test_a_profile_is_guessed_said_and_can_be_run(recsys, shop: Path) -> None:
    profile = shop / "My Shop.toml"
    code, out, err = recsys("new", str(profile), "--log", str(shop / "sales.csv"), "--items", str(shop / "articles.csv"))
    assert code == 0, err
    assert "'user_id': 'Customer ID'" in out and "%d.%m.%Y %H:%M" in out
    table = tomllib.loads(profile.read_text())
    assert table["name"] == "my-shop"
    ingest = table["ingest"]
    assert (ingest["interactions"], ingest["ties"]) == ("sales.csv", "auto")
    assert ingest["columns"] == {
        "user_id": "Customer ID",
        "item_id": "StockCode",
        "timestamp": "InvoiceDate",
        "weight": "Quantity",
    }
    assert (ingest["separator"], ingest["timestamp_format"]) == (";", "%d.%m.%Y %H:%M")
    assert (ingest["item_text"], ingest["item_categories"], ingest["item_numbers"]) == (
        ["Description"],
        ["Department"],
        ["Year"],
    )
    assert read_profile(profile).ingest.interactions == str(shop / "sales.csv")
    code, out, err = recsys("run", str(profile), "--until", "data", "--root", str(shop / "artifacts"), "--json")
    assert code == 0, err
    assert pl.read_parquet(shop / "artifacts" / "my-shop" / "ingest" / "interactions.parquet").height == 40


def test_nothing_is_overwritten(recsys, shop: Path) -> None:
    (shop / "own.toml").write_text("mine")
    code, _, err = recsys("new", str(shop / "own.toml"), "--log", str(shop / "sales.csv"))
    assert code == 2 and "must not be there yet" in err
    assert (shop / "own.toml").read_text() == "mine"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b,c\n1,2,3\n", "must have columns that look like user, item and time, got a, b, c and no user_id"),
        ("user,item,time\n1,2,soon\n", "column 'time' must hold times, got ['soon']"),
        ("", "must hold rows, got an empty file"),
    ],
)
def test_what_cannot_be_guessed_is_told(recsys, tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "log.csv").write_text(text)
    code, _, err = recsys("new", str(tmp_path / "own.toml"), "--log", str(tmp_path / "log.csv"))
    assert code == 2 and message in err.replace("\n", " ")
    assert not (tmp_path / "own.toml").exists()


@pytest.mark.parametrize("separator", [",", "\t", ";", "|", "::"])
def test_separators_are_told_from_lines_gzipped_or_not(tmp_path: Path, separator: str) -> None:
    text = "\n".join(separator.join(row) for row in (["user", "item", "time"], ["1", "a b", "3"], ["2", "c", "4"])) + "\n"
    (tmp_path / "log.csv").write_text(text)
    (tmp_path / "log.csv.gz").write_bytes(gzip.compress(text.encode()))
    assert guess_separator(tmp_path / "log.csv") == guess_separator(tmp_path / "log.csv.gz") == separator


def test_parquet_and_milliseconds_are_told(recsys, tmp_path: Path) -> None:
    table = pl.DataFrame({"visitorid": [1, 2], "itemid": [3, 4], "timestamp": [1_433_221_332_117, 1_433_221_332_118]})
    table.write_parquet(tmp_path / "log.parquet")
    code, out, _ = recsys("new", str(tmp_path / "own.toml"), "--log", str(tmp_path / "log.parquet"), "--json")
    guessed = json.loads(out)["guessed"]
    assert code == 0 and guessed["timestamp_unit"] == "ms"


def test_a_month_is_no_day_where_a_later_row_tells(recsys, tmp_path: Path) -> None:
    early = [f"u{n % 50},i{n % 7},{1 + n % 12:02d}/{1 + n % 5:02d}/2026" for n in range(21_000)]
    log = tmp_path / "log.csv"
    log.write_text("\n".join(["user,item,date", *early, "u1,i1,05/31/2026"]) + "\n")
    assert recsys("new", str(tmp_path / "us.toml"), "--log", str(log))[0] == 0
    assert tomllib.loads((tmp_path / "us.toml").read_text())["ingest"]["timestamp_format"] == "%m/%d/%Y"
    log.write_text("\n".join(["user,item,date", *early]) + "\n")
    code, _, err = recsys("new", str(tmp_path / "unclear.toml"), "--log", str(log))
    assert code == 2 and "day first or month first" in err and not (tmp_path / "unclear.toml").exists()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"user,item,date\n", "must have at least one row below its header"),
        (bytes(range(256)) * 20, "must be CSV, as it is or compressed, or Parquet"),
        (b"name,price\na,1\n", "must have columns that look like user, item and time"),
        (b"user,item,date\nu,a,soon\n", "column 'date' must hold times, got \\['soon'\\]"),
        (None, "--log must name a file"),
    ],
)
def test_a_file_that_is_no_log_is_told(recsys, tmp_path: Path, content: bytes | None, sentence: str) -> None:
    if content is not None:
        (tmp_path / "log.csv").write_bytes(content)
    code, _, err = recsys("new", str(tmp_path / "own.toml"), "--log", str(tmp_path / "log.csv"))
    assert code == 2 and re.search(sentence, " ".join(err.split())), err
    assert not (tmp_path / "own.toml").exists()


@pytest.mark.parametrize(
    ("items", "sentence"),
    [
        ("product_id;title\na;b\n", "must separate columns by one character"),
        ("product_id,title\na,b\n", "the id must have one name in"),
        ("sku,title\na,b\n", "the id must have one name in"),
        ("StockCode,one,two\n" + "a,x|y,x;y\n" * 40, "several categories in a cell must be separated by one character"),
    ],
)
def test_a_profile_that_could_not_run_is_not_written(recsys, tmp_path: Path, items: str, sentence: str) -> None:
    (tmp_path / "log.csv").write_text("customer,StockCode,date\nu,a,2026-01-02\n")
    (tmp_path / "items.csv").write_text(items)
    given = ("--log", str(tmp_path / "log.csv"), "--items", str(tmp_path / "items.csv"))
    code, _, err = recsys("new", str(tmp_path / "own.toml"), *given)
    assert code == 2 and sentence in " ".join(err.split()), err
    assert not (tmp_path / "own.toml").exists()


@pytest.mark.slow
def test_an_attribute_may_have_the_name_of_a_column_of_the_log(recsys, tmp_path: Path) -> None:
    rows = [f"u{n % 8},a{n % 5},2026-01-{1 + n % 28:02d},{n % 3}" for n in range(60)]
    (tmp_path / "log.csv").write_text("\n".join(["customer,StockCode,InvoiceDate,price", *rows]) + "\n")
    (tmp_path / "items.csv").write_text("StockCode,title,price\n" + "".join(f"a{n},tea {n},{n}.5\n" for n in range(5)))
    given = ("--log", str(tmp_path / "log.csv"), "--items", str(tmp_path / "items.csv"))
    assert recsys("new", str(tmp_path / "own.toml"), *given)[0] == 0
    code, _, err = recsys("run", str(tmp_path / "own.toml"), "--root", str(tmp_path / "a"), "--until", "data")
    assert code == 0, err
    assert pl.read_parquet(tmp_path / "a" / "own" / "ingest" / "items.parquet")["price"].to_list() == [0.5, 1.5, 2.5, 3.5, 4.5]
