from typing import Any

from pipelines.benchmarks.bar import Workspace
from pipelines.benchmarks.train_recbole import N_BATCHES, measure


def test_the_bar_is_6_times_recbole_in_the_same_shape(nowhere: Workspace, jobs: list[tuple[str, dict[str, Any]]]) -> None:
    (result,) = measure(nowhere)
    assert (result.name, result.bar, result.peer_version) == ("train-recbole", "ratio >= 6", "recbole 1.0")
    ours, peer = jobs[0][1]["settings"], jobs[1][1]["settings"]
    same = {"dim": "hidden_size", "n_blocks": "n_layers", "n_heads": "n_heads", "history_length": "MAX_ITEM_LIST_LENGTH"}
    assert {name: ours[name] for name in same} == {name: peer[theirs] for name, theirs in same.items()}
    assert ours["feedforward_factor"] * ours["dim"] == peer["inner_size"]
    assert peer["loss_type"] == "CE"


def test_it_is_said_that_recbole_does_not_run_whole_epochs(nowhere: Workspace, jobs: list[tuple[str, dict[str, Any]]]) -> None:
    (result,) = measure(nowhere)
    assert jobs[1][1]["n_batches"] == N_BATCHES
    assert f"{N_BATCHES} batches" in result.what
