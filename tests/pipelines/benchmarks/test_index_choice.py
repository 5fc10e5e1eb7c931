from typing import Any

import pytest

from pipelines.benchmarks import index_choice
from pipelines.benchmarks.bar import Workspace


def test_the_choice_must_be_within_a_tenth_of_the_best(nowhere: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def run_own(module: str, job: dict[str, Any], *, log: Any) -> dict[str, Any]:
        assert module == "choosing"
        return {"ours": 91.0 if job["side"] == "annoy" else 89.0, "peer": 100.0, "chosen": "a", "best": "b"}

    monkeypatch.setattr(index_choice, "run_own", run_own)
    measured = index_choice.measure(nowhere, annoy_items=300, sizes={"small": 300})
    results = {result.name: result for result in measured}
    assert (results["index-choice-annoy"].holds, results["index-choice-auto-small"].holds) == (True, False)
