from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipelines.benchmarks import contrast_terms
from pipelines.benchmarks.bar import Workspace
from pipelines.benchmarks.contrast_terms import PLAIN, SETS, TERMS, measure
from pipelines.settings.profile import Profile, read_shipped
from recsys.training.settings import training_settings

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("stages_at_hand")]


@pytest.fixture
def asked(small: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """A small profile stands for the shipped one; views are worth 0.1 to every user, a queue takes away what it gives."""
    jobs: list[dict[str, Any]] = []

    def run_own(module: str, job: dict[str, Any], *, log: Path) -> dict[str, Any]:
        jobs.append(job)
        settings = job["settings"]
        users = np.linspace(0.0, 0.2, 60) + settings["seed"] / 10
        if settings["view_weight"]:
            users = users + 0.1
        if settings["queue_size"]:
            users = users + np.resize([-0.15, -0.05], 60)
        np.save(job["values"], users)
        return {"ndcg": float(users.mean()), "hr": 0.5, "minutes": 2.0, "epoch": 3, "validation": None}

    monkeypatch.setattr(contrast_terms, "run_own", run_own)
    monkeypatch.setattr(contrast_terms, "read_shipped", lambda _: Profile.model_validate(small))
    return jobs


def test_a_term_is_judged_by_the_paired_difference_over_all_seeds(nowhere: Workspace, asked: list[dict[str, Any]]) -> None:
    views, same_target, queue, mix = measure(nowhere, "small")
    assert (views.name, views.ours, views.peer) == ("terms-small-views", pytest.approx(0.3), pytest.approx(0.2))
    assert "+0.1000 [+0.1000, +0.1000]" in views.what  # the spread of users and seeds cancels
    assert "0.2000, 0.3000, 0.4000" in views.what
    assert "+0.0000 [+0.0000, +0.0000]" in same_target.what
    assert "[-0.0" in queue.what and "60 users" in queue.what
    assert mix.ours == pytest.approx(views.ours)
    assert views.holds is None


def test_all_arms_differ_from_the_plain_one_by_their_term_alone(nowhere: Workspace, asked: list[dict[str, Any]]) -> None:
    list(measure(nowhere, "small"))
    assert len(asked) == 3 * (1 + len(TERMS))
    plain = {job["settings"]["seed"]: job["settings"] for job in asked[:: 1 + len(TERMS)]}
    for job in asked:
        settings = job["settings"]
        changed = {name for name, value in settings.items() if value != plain[settings["seed"]][name]}
        assert changed in [set(), *(set(term) for term in TERMS.values())]
        assert job["test"].endswith("test.parquet")


@pytest.mark.parametrize("n_epochs", [None, 1])
def test_all_arms_have_as_many_epochs_and_the_result_says_how_many(
    nowhere: Workspace,
    asked: list[dict[str, Any]],
    small: dict[str, Any],
    n_epochs: int | None,
) -> None:
    wanted = n_epochs or Profile.model_validate(small).train.loop.n_epochs
    assert n_epochs != Profile.model_validate(small).train.loop.n_epochs
    for result in measure(nowhere, "small", epochs={"small": n_epochs} if n_epochs else {}):
        assert f"{wanted} epochs each" in result.what
    assert {job["settings"]["n_epochs"] for job in asked} == {wanted}


def test_what_was_trained_is_not_trained_again(nowhere: Workspace, asked: list[dict[str, Any]]) -> None:
    first = list(measure(nowhere, "small"))
    n_trained = len(asked)
    assert [result.what for result in measure(nowhere, "small")] == [result.what for result in first]
    assert len(asked) == n_trained
    for path in (nowhere.folder / "terms").glob("*.json"):
        path.unlink()
        break
    list(measure(nowhere, "small"))
    assert len(asked) == n_trained + 1


@pytest.mark.parametrize("name", SETS)
def test_every_term_fits_the_shipped_profiles(name: str) -> None:
    settings = read_shipped(name).train.as_table()
    for term in TERMS.values():
        assert training_settings(settings | PLAIN | term)
