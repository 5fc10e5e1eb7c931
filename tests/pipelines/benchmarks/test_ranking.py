from pathlib import Path
from typing import Any

import pytest

from pipelines.benchmarks import ranking
from pipelines.benchmarks.bar import Workspace
from pipelines.benchmarks.ranking import RANKINGS, Ranking, change_profile, measure
from pipelines.settings.profile import Profile
from recsys.core.files import read_json

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("stages_at_hand")]


@pytest.fixture
def asked(small: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """A small profile stands for the shipped ones, and training is replaced by figures that rise with the seed."""
    jobs: list[dict[str, Any]] = []

    def run_own(module: str, job: dict[str, Any], *, log: Path) -> dict[str, Any]:
        jobs.append(job)
        seed = job["settings"]["seed"]
        return {"hr": 0.4 + seed / 10, "ndcg": 0.2 + seed / 10, "minutes": 2.0, "epoch": 3, "validation": None}

    monkeypatch.setattr(ranking, "run_own", run_own)
    monkeypatch.setattr(ranking, "read_shipped", lambda _: Profile.model_validate(small))
    return jobs


def _line(**changes: Any) -> Ranking:
    plain = {"name": "rank-x", "profile": "small", "source": "a paper"}
    return Ranking(**(plain | {"published": (0.25, 0.1), "bar": (0.5, 0.31)} | changes))


def test_a_bar_is_the_mean_of_three_seeds_and_says_each(nowhere: Workspace, asked: list[dict[str, Any]]) -> None:
    hit, gain = measure(nowhere, _line())
    assert [job["settings"]["seed"] for job in asked] == [0, 1, 2]
    assert (hit.name, hit.ours, hit.peer, hit.ratio, hit.holds) == (
        "rank-x-hr",
        pytest.approx(0.5),
        0.25,
        pytest.approx(2),
        True,
    )
    assert (gain.name, gain.ours, gain.holds) == ("rank-x-ndcg", pytest.approx(0.3), False)
    assert "0.4000, 0.5000, 0.6000" in hit.what
    assert "ties: " in hit.what and "as in the file" in hit.what
    assert "request time: known: the time of the user's held-out event" in hit.what
    assert "60 users" in hit.what


def test_what_is_only_reported_neither_holds_nor_misses(nowhere: Workspace, asked: list[dict[str, Any]]) -> None:
    hit, _ = measure(nowhere, _line(published=None, bar=None))
    assert (hit.peer, hit.ratio, hit.bar, hit.holds) == (None, None, None, None)


def test_changes_reach_the_stages(nowhere: Workspace, asked: list[dict[str, Any]]) -> None:
    changes = {"split": {"validation": False}, "ingest": {"ties": "shuffled"}, "train": {"use_time": False}}
    hit, _ = measure(nowhere, _line(changes=changes))
    for part in ("no validation part", "all but each user's last event", "shuffled, seed", "no times at all"):
        assert part in hit.what
    run = Path(asked[0]["pairs"]).parent
    assert run.name == "rank-x"
    assert read_json(run / "split" / "manifest.json")["facts"]["n_validation"] == 0


def test_a_changed_profile_is_checked_as_a_whole(small: dict[str, Any]) -> None:
    profile = Profile.model_validate(small)
    assert change_profile(profile, "other", {"train": {"dim": 16}}).train.model.dim == 16
    with pytest.raises(ValueError, match="dim must be a multiple"):
        change_profile(profile, "other", {"train": {"dim": 7}})


@pytest.mark.parametrize("line", RANKINGS, ids=lambda line: line.name)
def test_every_line_fits_its_shipped_profile(line: Ranking) -> None:
    assert change_profile(ranking.read_shipped(line.profile), line.name, line.changes).name == line.name
