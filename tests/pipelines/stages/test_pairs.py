import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl


def test_vocabularies_and_popularity_know_train_only(finished: Path) -> None:
    train = pl.read_parquet(finished / "split" / "train.parquet")
    items = pl.read_parquet(finished / "pairs" / "items.parquet")
    assert items["item_id"].to_list() == sorted(train["item_id"].unique())
    counts = np.load(finished / "pairs" / "item_count.npy")
    assert counts.sum() == train.height
    assert np.isclose(np.exp(np.load(finished / "pairs" / "log_q.npy")).sum(), 1, atol=1e-5)


def test_the_test_part_is_in_no_array(finished: Path) -> None:
    split = {name: pl.read_parquet(finished / "split" / f"{name}.parquet") for name in ("train", "validation")}
    assert len(np.load(finished / "pairs" / "item_idx.npy")) == split["train"].height + split["validation"].height


def test_features_have_a_row_an_item(finished: Path, manifest_of: Callable[[str], dict]) -> None:
    facts = manifest_of("pairs")["facts"]
    assert len(np.load(finished / "pairs" / "item_categories.npy")) == facts["n_items"]
    assert np.load(finished / "pairs" / "item_text.npy").shape == (facts["n_items"], facts["text_dim"])
    assert facts["n_item_categories"] == 6 + len(np.unique(np.load(finished / "pairs" / "item_numbers.npy")))
    assert facts["n_user_categories"] == 3


def test_the_request_time_is_that_of_the_held_out_event(finished: Path) -> None:
    users = pl.read_parquet(finished / "pairs" / "users.parquet")
    test = pl.read_parquet(finished / "split" / "test.parquet").sort("user_id")
    assert users["user_id"].to_list() == test["user_id"].to_list()
    assert np.load(finished / "pairs" / "request_time.npy").tolist() == test["timestamp"].dt.epoch("s").to_list()


def test_users_without_a_held_out_event_are_said_to_have_no_request_time(
    new_run: Callable[..., Path], run_stage: Callable[[str, Path], None], tmp_path: Path
) -> None:
    rows = [
        f"u{user},i{(user + position) % 6},{1000 * position + 1}" for user in range(8) for position in range(5 if user else 2)
    ]
    (tmp_path / "log.csv").write_text("\n".join(["user_id,item_id,timestamp", *rows]) + "\n")
    run = new_run(
        f'name = "own"\n[ingest]\nsource = "files"\ninteractions = "{tmp_path / "log.csv"}"\nmin_user_interactions = 1\n'
    )
    for stage in ("ingest", "split", "pairs"):
        run_stage(stage, run)
    facts = json.loads((run / "pairs" / "manifest.json").read_text())["facts"]
    assert (facts["request_time"], facts["n_users_without_request_time"]) == ("held_out_event", 1)
    assert (np.load(run / "pairs" / "request_time.npy") == -1).sum() == 1


def test_an_unknown_request_time_is_minus_one(new_run: Callable[..., Path], run_stage: Callable[[str, Path], None]) -> None:
    run = new_run('name = "x"\n[ingest]\nsource = "synthetic"\nn_users = 30\nn_items = 40\n[pairs]\nrequest_time = "unknown"\n')
    for stage in ("ingest", "split", "pairs"):
        run_stage(stage, run)
    assert set(np.load(run / "pairs" / "request_time.npy").tolist()) == {-1}


def test_without_validation_every_event_of_the_arrays_is_train_and_validation_asks_never(unvalidated: Path) -> None:
    arrays = {path.stem: np.load(path) for path in (unvalidated / "pairs").glob("*.npy")}
    assert np.array_equal(arrays["train_end"], arrays["offsets"][1:])
    assert set(arrays["validation_time"].tolist()) == {-1}
    assert arrays["request_time"].min() > 0
    assert len(arrays["item_idx"]) == pl.read_parquet(unvalidated / "split" / "train.parquet").height
