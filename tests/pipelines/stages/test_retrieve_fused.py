"""A shop where customers buy again: lists are fused from towers and rules, hold repeats, and are served as published."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pipelines.graph import NAMES
from pipelines.tracking import registry
from pipelines.tracking import runs as tracking
from recsys.serving.opened_run import open_run
from tests.finished_run import PROFILE, change_settings, lay_out_text, run_stage_in

pytestmark = pytest.mark.slow

SHOP = PROFILE.replace('sources = ["two_tower"]\n', "").replace("n_topics = 6", "n_topics = 6\nbasket_size = 3")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Path:
    root = tmp_path_factory.mktemp("shop")
    run = lay_out_text(SHOP, root)
    (run.parent / "mlflow.db").write_bytes(empty_store.read_bytes())
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        for stage in NAMES:
            run_stage_in(stage, run)
    return run


@pytest.fixture
def copied(shop: Path, tmp_path: Path) -> Path:
    """The shop, to be changed."""
    run = tmp_path / "artifacts" / shop.name
    shutil.copytree(shop, run, symlinks=True, ignore=shutil.ignore_patterns(".owner*"))
    return run


def _facts(run: Path, stage: str) -> dict:
    return json.loads((run / stage / "manifest.json").read_text())["facts"]


def _taken(run: Path) -> pl.DataFrame:
    return pl.concat([pl.read_parquet(run / "split" / f"{part}.parquet") for part in ("train", "validation")])


def test_where_much_comes_back_it_is_published_and_what_is_new_is_judged_beside_it(shop: Path) -> None:
    assert _facts(shop, "split")["repeat_share"] > 0.2
    facts = _facts(shop, "retrieve")
    assert facts["scope"] == "all"
    published = pl.read_parquet(shop / "published" / "current" / "candidates.parquet")
    assert published.equals(pl.read_parquet(shop / "retrieve" / "candidates.parquet"))
    new = pl.read_parquet(shop / "retrieve" / "new" / "candidates.parquet")
    assert not published.join(_taken(shop), on=["user_id", "item_id"], how="semi").is_empty()
    assert new.join(_taken(shop), on=["user_id", "item_id"], how="semi").is_empty()
    compared = json.loads((shop / "evaluate" / "comparisons.json").read_text())
    assert compared["scope"] == "all" and [each["scope"] for each in compared["others"]] == ["new"]
    assert "Of what is new to them alone: fusion" in compared["verdict"]


def test_every_source_with_a_say_has_a_weight_and_a_share(shop: Path) -> None:
    facts = _facts(shop, "retrieve")
    weights, figures = facts["weights"]["all"], facts["validation_ndcg"]["all"]
    assert set(weights) == set(facts["sources"]) == set(facts["source_shares"]) and "own_history" in weights
    assert sum(facts["source_shares"].values()) == pytest.approx(1)
    assert figures["fusion"] == max(figures.values())
    assert "own_history" not in facts["weights"]["new"]
    page = (shop / "evaluate" / "report.html").read_text(encoding="utf-8")
    assert "own-history" in page.split("Where the lists come from")[1].split("</table>")[0]
    protocol = "\n".join(_facts(shop, "evaluate")["protocol"])
    assert "fused from sources weighted on validation: " in protocol and "which may hold what a user took before" in protocol


def test_fused_lists_are_not_below_any_source_and_the_towers_are_judged_alone_too(shop: Path) -> None:
    rows = json.loads((shop / "evaluate" / "metrics.json").read_text())
    figures = {row["model"]: row["value"] for row in rows if row["metric"] == "ndcg@5"}
    sources = {name.replace("_", "-") for name in _facts(shop, "retrieve")["validation_ndcg"]["all"]} - {"fusion"}
    assert "two-tower" in sources and sources <= set(figures)
    assert figures["fusion"] >= 0.97 * max(figures[name] for name in sources)
    assert _facts(shop, "evaluate")["model"] == "fusion"


def test_a_run_answers_one_user_as_the_batch_did_and_so_does_the_registered_version(shop: Path) -> None:
    table = pl.read_parquet(shop / "retrieve" / "candidates.parquet")
    users = table["user_id"].unique(maintain_order=True).gather([0, 17, 80]).to_list()
    expected = table.filter(pl.col("user_id").is_in(users)).sort("user_id", "rank")
    answer = open_run(shop).recommend(users, k=40).sort("user_id", "rank")
    assert answer["item_id"].to_list() == expected["item_id"].to_list()
    assert answer["source"].to_list() == expected["source"].to_list()
    head = open_run(shop).recommend(users, k=7).sort("user_id", "rank")
    assert head["item_id"].to_list() == expected.filter(pl.col("rank") <= 7)["item_id"].to_list()
    tracking.connect(shop.parent, shop.name)
    registered = json.loads((shop / "register" / "registered.json").read_text())
    served = registry.recommend_from_registry(registered["model"], registered["version"], users, k=40).sort("user_id", "rank")
    assert served["item_id"].to_list() == expected["item_id"].to_list()


def test_what_is_denied_is_in_no_list_of_any_source(copied: Path, tmp_path: Path, recsys: Callable) -> None:
    table = pl.read_parquet(copied / "retrieve" / "candidates.parquet")
    denied = table["item_id"].value_counts(sort=True)["item_id"].head(10)
    (tmp_path / "deny.txt").write_text("\n".join(denied))
    change_settings(copied, "retrieve", deny=str(tmp_path / "deny.txt"))
    run_stage_in("retrieve", copied)
    after = pl.read_parquet(copied / "retrieve" / "candidates.parquet")
    assert not after["item_id"].is_in(denied.implode()).any()
    assert after.group_by("user_id").len()["len"].unique().to_list() == [40]
    checks = json.loads(recsys("verify", str(copied), "--json")[1])
    assert [check["is_good"] for check in checks if check["name"] == "lists"] == [True]


def test_an_item_that_is_added_can_be_listed_and_one_that_is_deleted_is_in_no_list(
    copied: Path, tmp_path: Path, recsys: Callable
) -> None:
    run = copied
    user = pl.read_parquet(run / "retrieve" / "candidates.parquet")["user_id"][0]
    idx = pl.read_parquet(run / "pairs" / "users.parquet")["user_id"].to_list().index(user)
    vector = np.load(run / "embed" / "users.npy")[idx]
    pl.DataFrame({"item_id": ["brand new"], "vector": [vector.tolist()]}).write_parquet(tmp_path / "new.parquet")
    assert recsys("add-items", str(tmp_path / "new.parquet"), "--run", str(run))[0] == 0
    first = open_run(run).recommend([user], k=60)
    assert "brand new" in first["item_id"].to_list()
    assert recsys("delete-items", first["item_id"][0], "--run", str(run))[0] == 0
    assert first["item_id"][0] not in open_run(run).recommend([user], k=60)["item_id"].to_list()


def test_repeats_count_where_they_are_listed(shop: Path) -> None:
    held_out = pl.read_parquet(shop / "split" / "test.parquet")
    found = open_run(shop).evaluate(held_out, k=5)
    rows = json.loads((shop / "evaluate" / "metrics.json").read_text())
    (judged,) = [row for row in rows if row["model"] == "fusion" and row["metric"] == "ndcg@5"]
    own = found.filter(pl.col("metric") == "ndcg@5").row(0, named=True)
    assert own["n_users"] == judged["n_users"]
    assert own["value"] == pytest.approx(judged["value"], abs=1e-9)


def test_sources_may_be_named_own_history_among_them(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change_settings(copied, "retrieve", sources=["two_tower", "own_history"], caps={})
    run_stage_in("retrieve", copied)
    assert set(pl.read_parquet(copied / "retrieve" / "candidates.parquet")["source"]) == {"two_tower", "own_history"}
    assert "source" not in pl.read_parquet(copied / "retrieve" / "new" / "candidates.parquet").columns
    shutil.rmtree(copied / "baselines" / "fitted" / "all" / "ease")
    shutil.rmtree(copied / "baselines" / "fitted" / "new" / "ease")
    change_settings(copied, "retrieve", sources=["ease"])
    capsys.readouterr()
    with pytest.raises(SystemExit):
        run_stage_in("retrieve", copied)
    told = capsys.readouterr().err.replace("\n", " ")
    assert 'ease must be a baseline of this run, got none; put "ease" into [baselines] names, or leave it out' in told


def test_without_validation_the_towers_are_alone_and_it_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = lay_out_text(SHOP.replace("[pairs]", "[split]\nvalidation = false\n[pairs]"), tmp_path)
    for stage in NAMES[: NAMES.index("retrieve") + 1]:
        run_stage_in(stage, run)
    assert _facts(run, "retrieve")["sources"] == ["two_tower"]
    assert "no baseline can be weighed on validation" in capsys.readouterr().err.replace("\n", " ")
