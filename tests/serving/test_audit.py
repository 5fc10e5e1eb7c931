import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from pipelines.graph import NAMES as STAGES
from recsys.core.errors import ArtefactError
from recsys.core.files import sha256_of
from recsys.serving.audit import find_candidates, find_counts, verify


def _bad(folder: Path) -> dict[str, str]:
    return {check.name: check.text for check in verify(folder, stages=STAGES) if not check.is_good}


def test_a_finished_run_is_what_it_says(finished: Path) -> None:
    checks = verify(finished, stages=STAGES)
    assert [check.name for check in checks] == ["raw", *STAGES, "lists"]
    assert all(check.is_good for check in checks), [check for check in checks if not check.is_good]


@pytest.mark.parametrize("name", ["split/train.parquet", "train/model.safetensors", "retrieve/candidates.parquet"])
def test_a_changed_file_anywhere_along_the_chain_is_found(copy_of: Path, name: str) -> None:
    stage, file = name.split("/")
    if file == "candidates.parquet":
        table = pl.read_parquet(copy_of / name)
        table.with_columns(pl.col("score") * 0.5).write_parquet(copy_of / name)
    else:
        with (copy_of / name).open("ab") as handle:
            handle.write(b"x")
    assert f"{file} must be what the manifest says" in _bad(copy_of)[stage]


def test_a_stage_that_is_out_of_date_is_found(copy_of: Path) -> None:
    path = copy_of / "embed" / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"seconds": 0}))
    assert "was made from another embed" in _bad(copy_of)["index"]


def test_a_missing_stage_is_named(copy_of: Path) -> None:
    (copy_of / "baselines" / "manifest.json").unlink()
    assert _bad(copy_of)["baselines"] == "has not run"


def test_lists_that_exact_search_would_not_find_are_found(copy_of: Path) -> None:
    path = copy_of / "retrieve" / "candidates.parquet"
    table = pl.read_parquet(path)
    items = pl.read_parquet(copy_of / "pairs" / "items.parquet")["item_id"]
    wrong = items.sample(table.height, with_replacement=True, seed=0)
    table.with_columns(wrong.alias("item_id"), pl.lit(-1.0, pl.Float32).alias("score")).write_parquet(path)
    assert "of what exact search finds" in _bad(copy_of)["lists"]


def test_a_published_set_is_checked_file_by_file(copy_of: Path, run_stage: Callable) -> None:
    folder = copy_of / "published" / "current"
    assert all(check.is_good for check in verify(folder, stages=STAGES))
    path = folder / "similar.parquet"
    text = path.read_bytes()
    path.unlink()
    path.write_bytes(text[:-1])
    assert "similar.parquet" in _bad(folder)["files"]


def test_candidates_are_found_in_runs_sets_and_files(finished: Path, tmp_path: Path) -> None:
    table = finished / "retrieve" / "candidates.parquet"
    assert find_candidates(finished) == table
    assert find_candidates(table) == table
    assert find_candidates(finished / "published" / "current").read_bytes() == table.read_bytes()
    with pytest.raises(ArtefactError, match="must be a run folder, a published set or a table"):
        find_candidates(tmp_path)


def test_any_other_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match="must be a run folder or a published set, got neither"):
        verify(tmp_path, stages=STAGES)


def test_a_raw_file_that_changed_is_found_and_one_that_is_gone_is_no_fault(copy_of: Path, tmp_path: Path) -> None:
    raw, path = tmp_path / "log.csv", copy_of / "ingest" / "manifest.json"
    raw.write_text("a")
    manifest = json.loads(path.read_text())
    manifest["facts"]["source_files"] = {str(raw): sha256_of(raw), str(tmp_path / "gone.csv"): "0" * 64}
    path.write_text(json.dumps(manifest))
    assert "raw" not in _bad(copy_of)
    raw.write_text("b")
    assert "log.csv must be as it was read" in _bad(copy_of)["raw"]


def test_counts_are_those_of_the_run(finished: Path, tmp_path: Path) -> None:
    train = pl.read_parquet(finished / "split" / "train.parquet").group_by("item_id").len()
    for path in (finished, finished / "published" / "current"):
        assert dict(find_counts(path).iter_rows()) == dict(train.iter_rows())
    assert find_counts(tmp_path) is None
