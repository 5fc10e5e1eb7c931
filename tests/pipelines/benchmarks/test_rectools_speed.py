from typing import Any

from pipelines.benchmarks.bar import Workspace, at_least
from pipelines.benchmarks.rectools_speed import compare_to_rectools


def test_both_sides_have_the_same_shape_and_batch(nowhere: Workspace, jobs: list[tuple[str, dict[str, Any]]]) -> None:
    compare_to_rectools(nowhere, name="x", encoder="hstu", model="HSTUModel", limit=at_least("ratio", 2))
    ours, peer = jobs[0][1]["settings"], jobs[1][1]["settings"]
    same = {"dim": "n_factors", "n_blocks": "n_blocks", "n_heads": "n_heads", "history_length": "session_max_len"}
    assert {name: ours[name] for name in same} == {name: peer[theirs] for name, theirs in same.items()}
    assert ours["dropout"] == peer["dropout_rate"]
    assert ours["batch_tokens"] == peer["batch_size"] * peer["session_max_len"]
    assert ours["full_softmax_limit"] > 3706 and peer["loss"] == "softmax"
    assert jobs[1][1]["train"] == nowhere.part("train")
