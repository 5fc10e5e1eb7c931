"""A study of pre-training on the small world: both ways for each share, kept between runs, and probes."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from recsys.models.checkpoint import read_tensors
from tests.finished_run import PROFILE, change_settings, lay_out_text, run_stage_in

pytestmark = pytest.mark.slow

TEXT = (
    PROFILE.replace("n_users = 150", "n_users = 200")
    .replace("n_topics = 6", "n_topics = 3")
    .replace(
        "[train]",
        "[pretrain]\nn_epochs = 3\nbatch_tokens = 512\nwarmup_steps = 5\n[study]\nshares = [0.1, 1.0]\nlongest = 2\n[train]",
    )
)


@pytest.fixture(scope="module")
def studied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = lay_out_text(TEXT, tmp_path_factory.mktemp("studied"))
    for stage in ("ingest", "split", "pairs", "pretrain", "study"):
        run_stage_in(stage, run)
    return run


@pytest.fixture(scope="module")
def study(studied: Path) -> dict:
    return json.loads((studied / "study" / "study.json").read_text())


def test_each_share_is_trained_both_ways_with_its_users_and_epochs(study: dict) -> None:
    arms = [(arm["share"], arm["start"], arm["n_labelled"]) for arm in study["arms"]]
    assert arms == [
        (0.1, "from scratch", 20),
        (0.1, "pre-trained", 20),
        (1.0, "from scratch", 200),
        (1.0, "pre-trained", 200),
    ]
    assert [arm["n_epochs"] <= limit for arm, limit in zip(study["arms"], (6, 6, 3, 3), strict=True)] == [True] * 4
    assert study["arms"][2]["ndcg"] > study["arms"][0]["ndcg"], "all labels are worth more than a tenth of them"


def test_the_summary_is_the_mean_and_the_lift(study: dict) -> None:
    first = study["shares"][0]
    scratch, tuned = (arm["ndcg"] for arm in study["arms"][:2])
    assert (first["scratch"], first["pretrained"], first["n_seeds"]) == (scratch, tuned, 1)
    assert first["lift"] == pytest.approx(tuned / scratch - 1)


def test_what_is_pre_trained_starts_from_other_weights_and_is_probed_as_such(studied: Path, study: dict) -> None:
    for scratch, tuned in (study["arms"][:2], study["arms"][2:]):
        assert scratch["validation"] != tuned["validation"]
    vectors = {path.name: np.load(path) for path in (studied / "study" / "arms").glob("*-items.npy")}
    pretrained = read_tensors(studied / "pretrain" / "model.safetensors")["item_tower.ids.weight"].numpy()
    assert len(vectors) == 3 and not np.allclose(vectors["random-items.npy"], vectors["pretrained-items.npy"])
    assert vectors["pretrained-items.npy"].shape == pretrained.shape
    users = [values["macro"] for what, values in study["probes"].items() if what.startswith("users")]
    assert all(set(macro) == {"random", "pretrained", "supervised"} for macro in users)


def test_probes_read_three_kinds_of_vectors_and_training_helps(study: dict) -> None:
    (topic,) = [values for what, values in study["probes"].items() if what.startswith("items")]
    assert set(topic["macro"]) == {"random", "pretrained", "supervised"}
    assert topic["macro"]["supervised"] > 0.8


def test_the_page_and_the_manifest_have_it(studied: Path) -> None:
    assert "what pre-training is worth" in (studied / "study" / "study.html").read_text()
    page = (studied / "study" / "study.html").read_text()
    assert "events share their user" in page or "no two events" in page
    assert "known: the time of the user" in page
    facts = json.loads((studied / "study" / "manifest.json").read_text())["facts"]
    assert len(facts["shares"]) == 2


def test_what_was_trained_before_is_taken_over(
    studied: Path, study: dict, run_stage: Callable[[str, Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    change_settings(studied, "study", shares=[0.1])
    run_stage("study", studied)
    assert capsys.readouterr().err.count("done before") == 2
    assert json.loads((studied / "study" / "study.json").read_text())["arms"] == study["arms"][:2]


def test_a_profile_without_pre_training_has_nothing_to_study(
    copy_of: Path, run_stage: Callable[[str, Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        run_stage("study", copy_of)
    assert "[pretrain] n_epochs must be above 0 to be studied" in capsys.readouterr().err
