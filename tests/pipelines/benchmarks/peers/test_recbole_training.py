import polars as pl

from pipelines.benchmarks.bar import Workspace
from pipelines.benchmarks.peers.recbole_training import FirstBatches, _write_log


def test_only_the_first_batches_are_given_and_each_sample_is_a_target() -> None:
    first = FirstBatches([[1, 2], [3, 4], [5]], 2)
    assert list(first) == [[1, 2], [3, 4]]
    assert first.n_targets == 4
    whole = FirstBatches([[1, 2], [3, 4], [5]], 9)
    assert sum(map(len, whole)) == whole.n_targets == 5


def test_the_log_names_the_kind_of_its_columns_and_has_seconds(workspace: Workspace, tmp_path) -> None:
    path = tmp_path / "log" / "log.inter"
    _write_log(workspace.part("train"), path)
    written = pl.read_csv(path, separator="\t", schema_overrides={"user_id:token": pl.String, "item_id:token": pl.String})
    log = pl.read_parquet(workspace.part("train"))
    assert written.columns == ["user_id:token", "item_id:token", "timestamp:float"]
    assert written["item_id:token"].to_list() == log["item_id"].to_list()
    assert written["timestamp:float"].to_list() == log["timestamp"].dt.epoch("s").to_list()
