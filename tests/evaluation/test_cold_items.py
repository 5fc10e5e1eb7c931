"""A run with items withheld: encoded by their texts, recommended, and judged among themselves and among all."""

import json
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pipelines.graph import NAMES as STAGES
from recsys.baselines.train_matrix import build_baseline_data
from recsys.core.files import read_array
from recsys.evaluation.cold_items import evaluate_cold_items
from recsys.evaluation.judgements import build_judgements
from recsys.evaluation.segments import judge_part
from recsys.serving.opened_run import open_run
from tests.finished_run import PROFILE, change_settings, lay_out_text, run_stage_in

pytestmark = pytest.mark.slow

COLD = PROFILE.replace("[pairs]", "[split]\ncold_share = 0.2\n[embed]\ncold_items = true\n[pairs]")


@pytest.fixture(scope="module")
def cold_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = lay_out_text(COLD, tmp_path_factory.mktemp("cold"))
    for stage in STAGES[:-1]:
        run_stage_in(stage, run)
    return run


@pytest.fixture(scope="module")
def segments(cold_run: Path) -> dict[tuple[str, str, str], float]:
    rows = json.loads((cold_run / "evaluate" / "segments.json").read_text())
    return {(row["segment"], row["model"], row["metric"]): row["value"] for row in rows}


def test_withheld_items_are_unknown_to_train_and_have_vectors_by_their_texts(cold_run: Path) -> None:
    withheld = pl.read_parquet(cold_run / "split" / "cold_items.parquet")["item_id"]
    known = pl.read_parquet(cold_run / "pairs" / "items.parquet")["item_id"]
    cold = pl.read_parquet(cold_run / "embed" / "cold_items.parquet")
    assert len(withheld) == 24 and not known.is_in(withheld.implode()).any()
    assert set(cold["item_id"]) == set(withheld)
    np.testing.assert_allclose(np.linalg.norm(cold["vector"].to_numpy(), axis=1), 0.95, atol=1e-5)


def test_cold_items_are_among_the_candidates_and_are_found_where_they_lie(cold_run: Path) -> None:
    cold = pl.read_parquet(cold_run / "embed" / "cold_items.parquet")
    candidates = pl.read_parquet(cold_run / "retrieve" / "candidates.parquet")
    assert candidates["item_id"].is_in(cold["item_id"].implode()).any()
    found = open_run(cold_run).nearest(cold["vector"].to_numpy(), k=24)
    own = found.filter(pl.col("item_id") == cold["item_id"].gather(found["query"]))
    assert own["score"].to_list() == pytest.approx([0.95] * own.height, abs=1e-3)
    assert own.height > cold.height / 2


def test_a_cold_item_can_be_deleted_and_is_denied_to_who_took_it(cold_run: Path, recsys, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    run = tmp_path / "artifacts" / cold_run.name
    shutil.copytree(cold_run, run, symlinks=True, ignore=shutil.ignore_patterns(".owner*"))
    cold = pl.read_parquet(run / "embed" / "cold_items.parquet")["item_id"]
    known = pl.read_parquet(run / "pairs" / "items.parquet")["item_id"]
    taken = ("--history", known[0], "--history", cold[1])
    _, out, _ = recsys("recommend", *taken, "-k", "110", "--run", str(run), "--json")
    assert f'"{cold[0]}"' in out and f'"{cold[1]}"' not in out
    assert recsys("delete-items", cold[0], "--run", str(run))[0] == 0
    _, out, _ = recsys("recommend", *taken, "-k", "110", "--run", str(run), "--json")
    assert f'"{cold[0]}"' not in out


def test_the_protocol_says_that_more_items_are_ranked(cold_run: Path) -> None:
    protocol = json.loads((cold_run / "evaluate" / "manifest.json").read_text())["facts"]["protocol"]
    (catalogue,) = [line for line in protocol if line.startswith("Catalogue")]
    assert catalogue.endswith("the model also ranks 24 items without one, by texts or as added")


def test_the_protocol_says_for_whom_cold_items_are_judged_and_whether_it_is_a_sample(cold_run: Path) -> None:
    cold = pl.read_parquet(cold_run / "embed" / "cold_items.parquet")
    n_users = pl.read_parquet(cold_run / "split" / "test.parquet").join(cold, on="item_id", how="semi")["user_id"].n_unique()
    protocol = json.loads((cold_run / "evaluate" / "manifest.json").read_text())["facts"]["protocol"]
    (line,) = [line for line in protocol if line.startswith("Cold items")]
    assert line.endswith(f"judged for {n_users} of {n_users} users who took one")
    train, validation, test = (
        pl.read_parquet(cold_run / "split" / f"{part}.parquet") for part in ("train", "validation", "test")
    )
    judgements = judge_part(build_judgements(train, validation, test), train["item_id"].unique(), is_cold=True)
    data = build_baseline_data(train, validation)
    few = evaluate_cold_items(
        run=cold_run, judgements=judgements, data=data, ks=[10], model="model", seed=0, most_scores=4 * 5 * 120
    )
    assert few is not None and (few.n_users, few.n_judged) == (n_users, 5)
    assert few.in_words().endswith(f"judged for 5 of {n_users} users who took one, a sample drawn by the seed")


def test_ranks_among_cold_items_are_those_of_the_products(cold_run: Path, segments) -> None:  # type: ignore[no-untyped-def]
    cold = pl.read_parquet(cold_run / "embed" / "cold_items.parquet")
    vectors, users = cold["vector"].to_numpy(), read_array(cold_run / "embed" / "users.npy")
    ids = pl.read_parquet(cold_run / "pairs" / "users.parquet")["user_id"].to_list()
    test = pl.read_parquet(cold_run / "split" / "test.parquet").join(cold.with_row_index("row"), on="item_id")
    found = []
    for user, row in test.select("user_id", "row").rows():
        scores = vectors @ users[ids.index(user)]
        # Items of equal texts lie close together; the first of them comes first.
        found.append((scores > scores[row]).sum() + (scores[:row] == scores[row]).sum() < 5)
    assert len(found) > 10
    assert segments["cold items among cold items", "two-tower", "recall@5"] == pytest.approx(np.mean(found), abs=1e-9)


def test_warm_and_cold_are_separate_rows_and_cold_is_zero_for_what_cannot_know_it(segments) -> None:  # type: ignore[no-untyped-def]
    assert segments["warm items", "two-tower", "recall@20"] > 0.3
    assert segments["cold items", "popularity", "recall@20"] == 0
    among, whole = "cold items among cold items", "cold items in the whole catalogue"
    assert {model for segment, model, _ in segments if segment == among} == {
        "two-tower",
        "content-knn",
        "ease-by-texts",
        "item-knn-by-texts",
        "popularity-of-similar",
        "random",
    }
    # Lists and ranks are computed apart from each other.
    for k in (5, 20):
        of_lists = segments["cold items", "two-tower", f"recall@{k}"]
        assert segments[whole, "two-tower", f"recall@{k}"] == pytest.approx(of_lists, abs=0.03)
    for model in ("two-tower", "content-knn", "ease-by-texts", "item-knn-by-texts"):
        assert segments[whole, model, "recall@20"] <= segments[among, model, "recall@20"]
    assert segments[among, "random", "recall@20"] == pytest.approx(20 / 24, abs=0.2)


def test_a_new_item_that_a_user_took_before_the_cut_is_not_recommended_again(tmp_path: Path) -> None:
    run = lay_out_text(PROFILE.replace("[pairs]", "[embed]\ncold_items = true\n[pairs]"), tmp_path, protocol="temporal")
    for stage in STAGES[: STAGES.index("retrieve") + 1]:
        if stage == "pairs":  # an item that only the validation window has
            path = run / "split" / "train.parquet"
            first = pl.read_parquet(run / "split" / "validation.parquet")["item_id"].mode().sort()[0]
            pl.read_parquet(path).filter(pl.col("item_id") != first).write_parquet(path)
        run_stage_in(stage, run)
    unknown = pl.read_parquet(run / "pairs" / "unknown_events.parquet")
    assert set(unknown["item_id"]) == {first} and unknown.height > 3
    assert first in pl.read_parquet(run / "embed" / "cold_items.parquet")["item_id"]
    users = pl.read_parquet(run / "pairs" / "users.parquet")["user_id"]
    took = users.gather(unknown["user_idx"])
    lists = pl.read_parquet(run / "retrieve" / "candidates.parquet").filter(pl.col("item_id") == first)
    assert lists.height and not lists["user_id"].is_in(took.implode()).any()


def test_the_page_has_a_table_a_segment(cold_run: Path, finished: Path) -> None:
    page = (cold_run / "evaluate" / "report.html").read_text()
    for segment in ("warm items", "cold items", "cold items among cold items", "cold items in the whole catalogue"):
        assert f"<caption>{segment}, " in page
    assert "<caption>warm items, " in (finished / "evaluate" / "report.html").read_text(), "in every report"


def test_cold_items_without_a_text_tower_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = lay_out_text(PROFILE.replace("text_dim = 4", "text_dim = 4\nsearch_dim = 0"), tmp_path)
    change_settings(run, "embed", cold_items=True)
    for stage in STAGES[:5]:
        run_stage_in(stage, run)
    with pytest.raises(SystemExit):
        run_stage_in("embed", run)
    assert "cold_items must be false where items have no texts" in capsys.readouterr().err
