import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest


def test_the_parts_hold_the_whole_log_and_the_manifest_the_cut(finished: Path, manifest_of: Callable[[str], dict]) -> None:
    parts = [pl.read_parquet(finished / "split" / f"{name}.parquet") for name in ("train", "validation", "test")]
    log = pl.read_parquet(finished / "ingest" / "interactions.parquet")
    assert pl.concat(parts).sort(log.columns).equals(log.sort(log.columns))
    facts = manifest_of("split")["facts"]
    assert (facts["protocol"], facts["has_validation"], facts["cut"]) == ("leave_last_out", True, None)


def test_the_temporal_protocol_writes_its_moment(
    new_run: Callable[..., Path], run_stage: Callable[[str, Path], None], finished: Path
) -> None:
    run = new_run(protocol="temporal")
    run_stage("ingest", run)
    run_stage("split", run)
    cut = json.loads((run / "split" / "manifest.json").read_text())["facts"]["cut"]
    test = pl.read_parquet(run / "split" / "test.parquet")
    train = pl.read_parquet(run / "split" / "train.parquet")
    assert train["timestamp"].max().isoformat() < cut <= test["timestamp"].min().isoformat()
    assert run.name == f"{finished.name}-temporal"


def test_users_that_are_all_too_short_are_told(
    tmp_path: Path,
    new_run: Callable[..., Path],
    run_stage: Callable[[str, Path], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = "".join(f"u{user},i{item},{1_600_000_000 + item}\n" for user in range(3) for item in range(2))
    (tmp_path / "log.csv").write_text("user_id,item_id,timestamp\n" + rows)
    log = f'interactions = "{tmp_path / "log.csv"}"\nmin_user_interactions = 1\n'
    run = new_run(f'name = "short"\n[ingest]\nsource = "files"\n{log}')
    run_stage("ingest", run)
    with pytest.raises(SystemExit) as caught:
        run_stage("split", run)
    assert caught.value.code == 2
    assert "some user must have 3 events, got at most 2" in capsys.readouterr().err


def test_histories_without_times_have_no_temporal_split(
    tmp_path: Path,
    new_run: Callable[..., Path],
    run_stage: Callable[[str, Path], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "toy.txt").write_text("1 5 6 7 8\n2 6 5 8 9\n3 7 8 5 6\n")
    run = new_run(f'name = "toy"\n[ingest]\nsource = "s3rec"\ninteractions = "{tmp_path / "toy.txt"}"\n', protocol="temporal")
    run_stage("ingest", run)
    with pytest.raises(SystemExit) as caught:
        run_stage("split", run)
    assert caught.value.code == 2
    assert "the temporal protocol needs times" in capsys.readouterr().err


def test_without_validation_each_user_has_one_test_event_and_the_rest_is_train(unvalidated: Path) -> None:
    train, validation, test = (
        pl.read_parquet(unvalidated / "split" / f"{name}.parquet") for name in ("train", "validation", "test")
    )
    log = pl.read_parquet(unvalidated / "ingest" / "interactions.parquet")
    assert test["user_id"].to_list() == log["user_id"].unique().sort().to_list()
    assert test.equals(log.group_by("user_id", maintain_order=True).tail(1).select(test.columns))
    assert pl.concat([train, test]).sort(log.columns).equals(log.sort(log.columns))
    assert validation.is_empty()
    assert validation.schema == train.schema
    assert json.loads((unvalidated / "split" / "manifest.json").read_text())["facts"]["n_validation"] == 0
