import json
import random
from collections import Counter

import pytest
import torch

from pipelines.benchmarks.bar import Workspace
from pipelines.benchmarks.ours import augmenting
from recsys.augmentation.compose import OPERATORS
from recsys.augmentation.sequences import MASKED

LIKE = [[item + 1] for item in range(9)] + [[]]


def _job(workspace: Workspace) -> str:
    return json.dumps({"pairs": str(workspace.run / "pairs"), "history_length": 20, "batch_tokens": 512, "n_repeats": 2})


def test_all_sides_are_timed_on_all_histories(workspace: Workspace, main_of) -> None:
    found = json.loads(main_of(augmenting, _job(workspace)).read_text())
    assert 0 < found["ours"] < found["one_by_one"]
    assert found["lists"] > 0 and found["n_events"] > 200
    assert found["version"] == f"PyTorch {torch.__version__}"


@pytest.mark.parametrize("name", OPERATORS)
def test_the_loop_does_what_the_operator_does(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(0)
    monkeypatch.setattr(rng, "choice", lambda options: name if options == OPERATORS else options[0])
    items, times = list(range(9)), [10 * position for position in range(9)]
    view, moments = augmenting.loop_view((items, times), LIKE, most=10, rng=rng)
    assert len(view) == len(moments) == {"crop": 5, "insert": 10}.get(name, 9)
    assert moments == sorted(moments)
    changed = sum(new != old for new, old in zip(view, items, strict=False))
    wanted = {
        "crop": view == list(range(view[0], view[0] + 5)),
        "mask": view.count(MASKED) == changed == 2,
        "reorder": Counter(view) == Counter(items) and 0 < changed <= 5,
        "substitute": changed == 2,
        "insert": view[-1] == 8,
    }
    assert wanted[name]


def test_views_are_padded_to_the_longest() -> None:
    padded = augmenting.pad([([3, 4], [0, 9]), ([5], [2])])
    assert padded.item_idx.tolist() == [[3, 4], [5, 0]]
    assert padded.time.tolist() == [[0, 9], [2, 0]]
    assert padded.length.tolist() == [2, 1]
