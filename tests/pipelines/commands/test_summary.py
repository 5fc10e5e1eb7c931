import time
from pathlib import Path

import pytest

from pipelines.commands.summary import main, print_summary


def test_the_summary_ends_with_table_and_paths(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    print_summary(finished)
    text = capsys.readouterr().out
    advice, verdict = text.strip().splitlines()[:2]
    assert "model" in advice and "two-tower" in verdict
    for part in ("HR@5", "NDCG@5", "RECALL@20", "COVERAGE@5", "ease", "candidates.parquet", "report.html", "MLflow run"):
        assert part in text


def test_the_summary_states_what_the_figures_hang_on(unvalidated: Path, capsys: pytest.CaptureFixture[str]) -> None:
    print_summary(unvalidated)
    text = capsys.readouterr().out
    for part in ("there is no validation part", "shuffled, seed 4", "no times at all", "trained for 3 epochs"):
        assert part in text


def test_it_says_when_nothing_was_done(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    print_summary(finished, since=time.time() + 1)
    assert "Nothing to do" in capsys.readouterr().out
    print_summary(finished, since=0)
    assert "Nothing to do" not in capsys.readouterr().out


def test_an_unfinished_run_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([str(tmp_path)])
    assert caught.value.code == 2
    assert "must exist" in capsys.readouterr().out
