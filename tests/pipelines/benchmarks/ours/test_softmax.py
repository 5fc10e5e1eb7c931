import json

import pytest
import torch

from pipelines.benchmarks.ours import softmax

JOB = {"n_rows": 12, "n_items": 7, "dim": 4, "chunks": [12, 5], "n_repeats": 3}


def test_medians_without_the_first_and_the_best_of_the_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([99, 0, 0, 6, 4, 3, 5, 9, 2, 7, 5, 8])
    monkeypatch.setattr(softmax, "seconds_of", lambda work: next(times))
    assert softmax.measure(JOB) == {"ours": 6, "products": 3}


def test_all_rows_go_through_three_products(monkeypatch: pytest.MonkeyPatch) -> None:
    users, items = torch.ones(12, 4), torch.ones(7, 4)
    with torch.profiler.profile(record_shapes=True) as seen:
        softmax._products(users, items, 5)
    shapes = [event.input_shapes for event in seen.events() if event.name == "aten::mm"]
    assert shapes[:3] == [[[5, 4], [4, 7]], [[5, 7], [7, 4]], [[7, 5], [5, 4]]]
    assert sum(shape[0][0] for shape in shapes[::3]) == 12


def test_the_command_writes_seconds_and_who_the_peer_is(main_of) -> None:
    found = json.loads(main_of(softmax, json.dumps(JOB)).read_text())
    assert found["ours"] > 0 and found["products"] > 0
    assert found["version"] == f"PyTorch {torch.__version__}"
