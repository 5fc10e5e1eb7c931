import gzip
import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from recsys.core.facts import read_facts
from recsys.core.files import sha256_of
from recsys.data.facts import IngestFacts
from recsys.evaluation.protocol import state_ties

RunStage = Callable[[str, Path], None]


def own_profile(log: Path, more: str = "") -> str:
    return f'name = "own"\n[ingest]\nsource = "files"\ninteractions = "{log}"\n{more}'


def test_a_log_comes_out_clean_with_its_quality(finished: Path) -> None:
    quality = json.loads((finished / "ingest" / "quality.json").read_text())
    log = pl.read_parquet(finished / "ingest" / "interactions.parquet")
    assert quality["rows_out"] == log.height
    assert quality["n_users"] == 150
    assert pl.read_parquet(finished / "ingest" / "items.parquet").columns == ["item_id", "title", "topic", "year"]
    assert pl.read_parquet(finished / "ingest" / "users.parquet").columns == ["user_id", "group"]


def test_own_columns_text_ids_and_integer_times_are_read(
    tmp_path: Path, new_run: Callable[..., Path], run_stage: RunStage
) -> None:
    rows = ["customer,code,when"] + [f"00{user},0{item},{1_600_000_000_000 + item}" for user in range(4) for item in range(5)]
    (tmp_path / "log.csv.gz").write_bytes(gzip.compress("\n".join(rows).encode()))
    columns = 'columns = { user_id = "customer", item_id = "code", timestamp = "when" }\ntimestamp_unit = "ms"\n'
    run = new_run(own_profile(tmp_path / "log.csv.gz", columns))
    run_stage("ingest", run)
    log = pl.read_parquet(run / "ingest" / "interactions.parquet")
    assert log["user_id"].unique().sort().to_list() == ["000", "001", "002", "003"]
    assert log["item_id"].unique().sort().to_list() == ["00", "01", "02", "03", "04"]
    assert log["timestamp"].dt.year().unique().to_list() == [2020]
    manifest = json.loads((run / "ingest" / "manifest.json").read_text())
    assert manifest["facts"]["source_files"] == {str(tmp_path / "log.csv.gz"): sha256_of(tmp_path / "log.csv.gz")}


def test_items_that_nobody_took_are_kept_and_users_without_events_are_not(
    tmp_path: Path, new_run: Callable[..., Path], run_stage: RunStage
) -> None:
    (tmp_path / "log.csv").write_text(
        "user_id,item_id,timestamp\n" + "".join(f"u1,i{n},{1_600_000_000 + n}\n" for n in range(4))
    )
    (tmp_path / "items.csv").write_text("item_id,title\ni9,Never taken\ni1,One\ni0,Nought\n")
    (tmp_path / "users.csv").write_text("user_id,city\nu1,Oslo\nu2,Rome\n")
    attributes = 'item_text = ["title"]\nuser_categories = ["city"]\n'
    more = f'items = "{tmp_path / "items.csv"}"\nusers = "{tmp_path / "users.csv"}"\n{attributes}'
    run = new_run(own_profile(tmp_path / "log.csv", more))
    run_stage("ingest", run)
    items = pl.read_parquet(run / "ingest" / "items.parquet")
    assert items.rows() == [("i0", "Nought"), ("i1", "One"), ("i2", None), ("i3", None), ("i9", "Never taken")]
    assert pl.read_parquet(run / "ingest" / "users.parquet").rows() == [("u1", ["Oslo"])]
    facts = json.loads((run / "ingest" / "manifest.json").read_text())["facts"]
    assert (facts["items_without_events"], facts["items_without_attributes"]) == (1, 2)
    assert facts["n_items"] == 4


HEAD = "user_id,item_id,timestamp\n"
GOOD = "".join(f"u{user},i{item},{1_600_000_000 + item}\n" for user in range(3) for item in range(4))


@pytest.mark.parametrize(
    ("text", "more", "expected"),
    [
        (None, "", "no such file"),
        ("", "", "empty file"),
        (HEAD, "", "must hold rows"),
        ("user_id,item,timestamp\n" + GOOD, "", "column 'item_id' must be present, got user_id, item, timestamp"),
        (HEAD + GOOD + "u1,i1,yesterday\n", "", "got 'yesterday' at row 13"),
        (HEAD + GOOD + "u1,,1600000000\n", "", "must not be null, got 1 such rows, first at row 13"),
        (HEAD + GOOD + "u1,i1,-5\n", "", "between 1970 and 2100, got -5 at row 13"),
        (HEAD + GOOD + "u1,i1,99999999999999\n", "", "got 99999999999999 at row 13"),
        (HEAD + GOOD, "min_user_interactions = 9\n", "some user must have 9 events"),
        (
            HEAD + "".join(f"u{user},i1,{1_600_000_000 + n}\n" for user in range(3) for n in range(4)),
            "",
            "at least 2 different items",
        ),
        (HEAD + GOOD, 'timestamp_format = "%Y-%m-%d"\n', "name its format in [ingest] timestamp_format"),
        (HEAD + GOOD, 'items = "nowhere.csv"\n', "items: "),
        (HEAD + GOOD + "u1,i1,1600000000,more,cells\n", "", "every row must be readable"),
        (HEAD + "\n\n", "", "must hold rows, got blank ones only"),
    ],
)
def test_bad_input_is_one_sentence_and_leaves_nothing(
    tmp_path: Path,
    new_run: Callable[..., Path],
    run_stage: RunStage,
    capsys: pytest.CaptureFixture[str],
    text: str | None,
    more: str,
    expected: str,
) -> None:
    log = tmp_path / "log.csv"
    if text is not None:
        log.write_text(text)
    run = new_run(own_profile(log, more))
    with pytest.raises(SystemExit) as caught:
        run_stage("ingest", run)
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert caught.value.code == 2
    assert last.startswith("error: ")
    assert expected in last
    assert [path.name for path in run.iterdir() if not path.name.startswith(".owner")] == ["config"]


def test_lists_are_no_ids(
    tmp_path: Path, new_run: Callable[..., Path], run_stage: RunStage, capsys: pytest.CaptureFixture[str]
) -> None:
    log = pl.DataFrame({"user_id": [["a"], ["b"]], "item_id": ["x", "y"], "timestamp": [1_600_000_000, 1_600_000_001]})
    log.write_parquet(tmp_path / "log.parquet")
    run = new_run(own_profile(tmp_path / "log.parquet"))
    with pytest.raises(SystemExit):
        run_stage("ingest", run)
    told = " ".join(capsys.readouterr().err.split())
    assert "column 'user_id' must hold one id a row, as text or a number, got List(String)" in told


def test_null_ids_can_be_dropped_and_are_counted(tmp_path: Path, new_run: Callable[..., Path], run_stage: RunStage) -> None:
    (tmp_path / "log.csv").write_text(HEAD + GOOD + "u1,,1600000000\n")
    run = new_run(own_profile(tmp_path / "log.csv", 'missing_ids = "drop"\n'))
    run_stage("ingest", run)
    assert json.loads((run / "ingest" / "quality.json").read_text())["dropped"]["missing_id"] == 1


def test_a_data_folder_that_is_none_is_told(
    new_run: Callable[..., Path], run_stage: RunStage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RECSYS_DATA_DIR", "/nowhere/at/all")
    run = new_run('name = "x"\n[ingest]\nsource = "movielens-100k"\n')
    with pytest.raises(SystemExit):
        run_stage("ingest", run)
    assert "RECSYS_DATA_DIR must be a folder" in capsys.readouterr().err


def test_histories_without_times_become_a_log(tmp_path: Path, new_run: Callable[..., Path], run_stage: RunStage) -> None:
    (tmp_path / "Toy.txt").write_text("1 5 6 7\n2 6 5 8\n3 7 8 5 6\n")
    run = new_run(f'name = "toy"\n[ingest]\nsource = "s3rec"\ninteractions = "{tmp_path / "Toy.txt"}"\n')
    run_stage("ingest", run)
    log = pl.read_parquet(run / "ingest" / "interactions.parquet")
    assert log.filter(pl.col("user_id") == "3")["item_id"].to_list() == ["7", "8", "5", "6"]
    assert json.loads((run / "ingest" / "manifest.json").read_text())["facts"]["has_time"] is False


def test_blank_lines_are_no_events_and_are_counted(tmp_path: Path, new_run: Callable[..., Path], run_stage: RunStage) -> None:
    (tmp_path / "log.csv").write_text(HEAD + "\n" + GOOD + "\n\n")
    run = new_run(own_profile(tmp_path / "log.csv"))
    run_stage("ingest", run)
    quality = json.loads((run / "ingest" / "quality.json").read_text())
    assert quality["dropped"]["blank"] == 3
    assert quality["rows_out"] == 12


@pytest.mark.parametrize(
    ("more", "order"),
    [
        ("", "as sets without an order"),
        ('ties = "file"\n', "as in the file"),
        ('ties = "shuffled"\nseed = 5\n', "shuffled, seed 5"),
        ('ties = "unstable"\n', "as an unstable sort"),
    ],
)
def test_the_order_of_ties_is_stated_with_their_number(
    tmp_path: Path, new_run: Callable[..., Path], run_stage: RunStage, more: str, order: str
) -> None:
    rows = "".join(f"u{user},i{item},{1_600_000_000 + item // 2}\n" for user in range(3) for item in range(40))
    (tmp_path / "log.csv").write_text(HEAD + rows)
    run = new_run(own_profile(tmp_path / "log.csv", more))
    run_stage("ingest", run)
    quality = json.loads((run / "ingest" / "quality.json").read_text())
    assert quality["tied_timestamps"] == 60
    assert quality["tie_order"]["n_pairs"] == 60
    stated = state_ties(read_facts(run / "ingest", IngestFacts))
    assert stated.startswith(f"60 events share their user's previous time, and stand {order}")
    items = pl.read_parquet(run / "ingest" / "interactions.parquet").filter(pl.col("user_id") == "u0")["item_id"].to_list()
    assert (items == [f"i{item}" for item in range(40)]) == (order == "as in the file")
