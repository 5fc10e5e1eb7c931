import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest


def test_every_user_gets_k_unseen_items_in_order(finished: Path) -> None:
    table = pl.read_parquet(finished / "retrieve" / "candidates.parquet")
    assert table.schema == {"user_id": pl.String, "item_id": pl.String, "rank": pl.Int32, "score": pl.Float32}
    assert table.group_by("user_id").len()["len"].unique().to_list() == [40]
    assert table["user_id"].n_unique() == 150
    assert table.equals(table.sort("user_id", "rank"))
    assert table.filter(pl.col("score").diff().over("user_id") > 1e-6).is_empty()
    seen = pl.concat([pl.read_parquet(finished / "split" / f"{part}.parquet") for part in ("train", "validation")])
    assert table.join(seen, on=["user_id", "item_id"], how="semi").is_empty()


def test_candidates_equal_exact_search(finished: Path) -> None:
    users, items = np.load(finished / "embed" / "users.npy"), np.load(finished / "embed" / "items.npy")
    ids = pl.read_parquet(finished / "pairs" / "items.parquet")["item_id"].to_list()
    offsets, seen = np.load(finished / "pairs" / "offsets.npy"), np.load(finished / "pairs" / "item_idx.npy")
    table = pl.read_parquet(finished / "retrieve" / "candidates.parquet").partition_by("user_id", maintain_order=True)
    found = 0
    for place, rows in enumerate(table):
        scores = items @ users[place]
        scores[seen[offsets[place] : offsets[place + 1]]] = -np.inf
        best = {ids[item] for item in np.argsort(-scores)[:40]}
        found += len(best & set(rows["item_id"]))
    assert found / (150 * 40) >= 0.99


def test_more_candidates_than_items_are_refused(
    copy_of: Path, run_stage: Callable[[str, Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    path = copy_of / "config" / "retrieve.json"
    config = json.loads(path.read_text())
    config["settings"]["k"] = 5000
    path.write_text(json.dumps(config))
    with pytest.raises(SystemExit) as caught:
        run_stage("retrieve", copy_of)
    assert caught.value.code == 2
    assert "k must be at most the catalogue of" in capsys.readouterr().err


def test_users_who_have_seen_nearly_all_get_shorter_lists_and_are_counted(
    copy_of: Path, run_stage: Callable[[str, Path], None]
) -> None:
    path = copy_of / "config" / "retrieve.json"
    config = json.loads(path.read_text())
    config["settings"]["k"] = 110
    path.write_text(json.dumps(config))
    run_stage("retrieve", copy_of)
    facts = json.loads((copy_of / "retrieve" / "manifest.json").read_text())["facts"]
    table = pl.read_parquet(copy_of / "retrieve" / "candidates.parquet")
    assert facts["n_short_lists"] == (table.group_by("user_id").len()["len"] < 110).sum() > 0


def test_the_table_names_the_vectors_it_came_from(finished: Path, manifest_of: Callable[[str], dict]) -> None:
    metadata = pl.read_parquet_metadata(finished / "retrieve" / "candidates.parquet")
    assert metadata["items_sha256"] == manifest_of("embed")["outputs"]["items.npy"]


def test_what_is_removed_as_seen_is_stated(unvalidated: Path, manifest_of: Callable[[str], dict]) -> None:
    assert "train and validation events are removed" in manifest_of("retrieve")["facts"]["seen"]
    assert "train events are removed" in json.loads((unvalidated / "retrieve" / "manifest.json").read_text())["facts"]["seen"]


def test_without_validation_all_but_the_test_event_is_removed(unvalidated: Path) -> None:
    table = pl.read_parquet(unvalidated / "retrieve" / "candidates.parquet")
    train, test = (pl.read_parquet(unvalidated / "split" / f"{part}.parquet") for part in ("train", "test"))
    assert table.join(train, on=["user_id", "item_id"], how="semi").is_empty()
    assert not table.join(test, on=["user_id", "item_id"], how="semi").is_empty()
