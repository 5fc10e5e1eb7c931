import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.commands import backtest
from pipelines.graph import StageNode, is_out_of_date
from tests.finished_run import PROFILE


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch, run_stage: Callable[[str, Path], None]) -> None:
    """Stages run here, where everything is imported."""

    def run(folder: Path, stage: StageNode, *, quiet: bool) -> bool:
        is_due = is_out_of_date(folder, stage)
        if is_due:
            run_stage(stage.name, folder)
        return is_due

    monkeypatch.setattr(backtest, "run_stage", run)


@pytest.mark.slow
@pytest.mark.usefixtures("in_this_process")
def test_a_profile_is_judged_at_several_cuts_each_blind_to_what_came_later(recsys, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(PROFILE.replace("n_epochs = 3", "n_epochs = 1"))
    ask = ("backtest", str(tmp_path / "own.toml"), "--cuts", "2", "--days", "25", "--root", str(tmp_path / "a"))
    code, out, err = recsys(*ask, "--json")
    assert code == 0, err
    told = json.loads(out)
    assert (told["metric"], told["model"], told["days"]) == ("ndcg@5", "two-tower", 25)
    early, late = told["cuts"]
    assert early["run"].endswith("tiny-25-days-before") and late["run"].endswith("tiny-0-days-before")
    assert early["cut"] < late["cut"]
    of_model = next(row for row in told["models"] if row["model"] == "two-tower")
    for cut, value in zip(told["cuts"], of_model["values"], strict=True):
        rows = json.loads((Path(cut["run"]) / "evaluate" / "metrics.json").read_text())
        assert value == next(row["value"] for row in rows if (row["model"], row["metric"]) == ("two-tower", "ndcg@5"))
    assert json.loads((tmp_path / "a" / "tiny-backtest.json").read_text()) == told
    assert "on is left out of all" in (Path(early["run"]) / "evaluate" / "report.html").read_text()
    before = (Path(late["run"]) / "train" / "manifest.json").stat().st_mtime_ns
    code, out, _ = recsys(*ask)
    assert code == 0 and "NDCG@5 at each cut" in out and "of 2" in out
    assert (Path(late["run"]) / "train" / "manifest.json").stat().st_mtime_ns == before, "what was done is not done again"
