import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from recsys.candidates.part_worker import PartWorker
from recsys.candidates.sets import roll_back
from tests.finished_run import change_settings


def test_every_user_gets_k_unseen_items_in_order(finished: Path) -> None:
    table = pl.read_parquet(finished / "retrieve" / "candidates.parquet")
    assert table.schema == {"user_id": pl.String, "item_id": pl.String, "rank": pl.Int32, "score": pl.Float32}
    assert table.group_by("user_id").len()["len"].unique().to_list() == [40]
    assert table["user_id"].n_unique() == 150
    assert table.equals(table.sort("user_id", "rank"))
    assert table.filter(pl.col("score").diff().over("user_id") > 1e-6).is_empty()
    seen = pl.concat([pl.read_parquet(finished / "split" / f"{part}.parquet") for part in ("train", "validation")])
    assert table.join(seen, on=["user_id", "item_id"], how="semi").is_empty()


def test_candidates_equal_exact_search(finished: Path) -> None:
    users, items = np.load(finished / "embed" / "users.npy"), np.load(finished / "embed" / "items.npy")
    ids = pl.read_parquet(finished / "pairs" / "items.parquet")["item_id"].to_list()
    offsets, seen = np.load(finished / "pairs" / "offsets.npy"), np.load(finished / "pairs" / "item_idx.npy")
    table = pl.read_parquet(finished / "retrieve" / "candidates.parquet").partition_by("user_id", maintain_order=True)
    found = 0
    for position, rows in enumerate(table):
        scores = items @ users[position]
        scores[seen[offsets[position] : offsets[position + 1]]] = -np.inf
        best = {ids[item] for item in np.argsort(-scores)[:40]}
        found += len(best & set(rows["item_id"]))
    assert found / (150 * 40) >= 0.99


def test_more_candidates_than_items_are_refused(
    copy_of: Path, run_stage: Callable[[str, Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    change_settings(copy_of, "retrieve", k=5000)
    with pytest.raises(SystemExit) as caught:
        run_stage("retrieve", copy_of)
    assert caught.value.code == 2
    assert "k must be at most the catalogue of" in capsys.readouterr().err


def test_users_who_have_seen_nearly_all_get_shorter_lists_and_are_counted(
    copy_of: Path, run_stage: Callable[[str, Path], None]
) -> None:
    change_settings(copy_of, "retrieve", k=110)
    run_stage("retrieve", copy_of)
    facts = json.loads((copy_of / "retrieve" / "manifest.json").read_text())["facts"]
    table = pl.read_parquet(copy_of / "retrieve" / "candidates.parquet")
    assert facts["n_short_lists"] == (table.group_by("user_id").len()["len"] < 110).sum() > 0


def test_the_table_names_the_vectors_it_came_from(finished: Path, manifest_of: Callable[[str], dict]) -> None:
    metadata = pl.read_parquet_metadata(finished / "retrieve" / "candidates.parquet")
    assert metadata["items_sha256"] == manifest_of("embed")["outputs"]["items.npy"]


def test_without_validation_all_but_the_test_event_is_removed(unvalidated: Path) -> None:
    table = pl.read_parquet(unvalidated / "retrieve" / "candidates.parquet")
    train, test = (pl.read_parquet(unvalidated / "split" / f"{part}.parquet") for part in ("train", "test"))
    assert table.join(train, on=["user_id", "item_id"], how="semi").is_empty()
    assert not table.join(test, on=["user_id", "item_id"], how="semi").is_empty()


@pytest.fixture
def retrieve_with(copy_of: Path, run_stage: Callable[[str, Path], None]) -> Callable[..., pl.DataFrame]:
    """Run the stage again with other settings, and read its table."""

    def run(**settings: object) -> pl.DataFrame:
        change_settings(copy_of, "retrieve", **settings)
        run_stage("retrieve", copy_of)
        return pl.read_parquet(copy_of / "retrieve" / "candidates.parquet")

    return run


def _facts(run: Path) -> dict:
    return json.loads((run / "retrieve" / "manifest.json").read_text())["facts"]


def test_the_set_is_published_and_rolled_back_to_the_one_before(copy_of: Path, retrieve_with: Callable) -> None:
    first = pl.read_parquet(copy_of / "published" / "current" / "candidates.parquet")
    second = retrieve_with(k=30)
    assert pl.read_parquet(copy_of / "published" / "current" / "candidates.parquet").equals(second)
    roll_back(copy_of / "published")
    assert pl.read_parquet(copy_of / "published" / "current" / "candidates.parquet").equals(first)
    about = json.loads((copy_of / "published" / "current" / "set.json").read_text())
    assert about["facts"]["n_users"] == 150
    assert set(about["inputs"]) >= {"pairs", "embed", "index"}


def test_every_item_has_neighbours_and_none_is_its_own(finished: Path) -> None:
    table = pl.read_parquet(finished / "retrieve" / "similar.parquet")
    assert table.columns == ["item_id", "similar_item_id", "rank", "score"]
    items = pl.read_parquet(finished / "pairs" / "items.parquet")["item_id"]
    assert table["item_id"].unique().sort().equals(items)
    assert table.group_by("item_id").len()["len"].unique().to_list() == [20]
    assert table.filter(pl.col("item_id") == pl.col("similar_item_id")).is_empty()
    assert (finished / "published" / "current" / "similar.parquet").is_file()


def test_only_the_users_of_a_list_are_answered_and_strangers_are_counted(
    copy_of: Path, retrieve_with: Callable, tmp_path: Path
) -> None:
    (tmp_path / "users.csv").write_text("user_id,note\nu00007,x\nu00003,y\nnobody,z\n")
    table = retrieve_with(users=str(tmp_path / "users.csv"), similar_k=0)
    assert table["user_id"].unique().sort().to_list() == ["u00003", "u00007"]
    assert _facts(copy_of)["n_unknown_users"] == 1
    whole = pl.read_parquet(copy_of / "published" / "000001" / "candidates.parquet")
    assert table.equals(whole.join(table.select("user_id").unique(), on="user_id", how="semi"))
    assert not (copy_of / "retrieve" / "similar.parquet").exists()


def test_filters_hold_and_the_lists_are_as_long_as_they_can_be(copy_of: Path, retrieve_with: Callable, tmp_path: Path) -> None:
    items = pl.read_parquet(copy_of / "ingest" / "items.parquet")
    column = next(name for name, dtype in items.schema.items() if dtype == pl.List(pl.String))
    value = items[column].explode().drop_nulls().mode()[0]
    denied = items["item_id"].gather_every(2).to_list()
    (tmp_path / "deny.txt").write_text("\n".join(denied))
    table = retrieve_with(deny=str(tmp_path / "deny.txt"), categories={column: [value]}, k=40)
    allowed = items.filter(pl.col(column).list.contains(value) & ~pl.col("item_id").is_in(denied))["item_id"]
    assert set(table["item_id"]) <= set(allowed)
    seen = pl.concat([pl.read_parquet(copy_of / "split" / f"{part}.parquet") for part in ("train", "validation")])
    seen = seen.filter(pl.col("item_id").is_in(allowed.implode())).group_by("user_id").agg(pl.col("item_id").n_unique())
    known = set(pl.read_parquet(copy_of / "pairs" / "items.parquet")["item_id"])
    n_allowed = len(set(allowed) & known)
    length = dict(table.group_by("user_id").len().iter_rows())
    for user, n_seen in seen.iter_rows():
        assert length.get(user, 0) == min(40, n_allowed - n_seen)
    assert _facts(copy_of)["n_allowed_items"] == n_allowed


def test_no_list_holds_more_of_a_category_than_its_cap(copy_of: Path, retrieve_with: Callable) -> None:
    items = pl.read_parquet(copy_of / "ingest" / "items.parquet")
    column = next(name for name, dtype in items.schema.items() if dtype == pl.List(pl.String))
    table = retrieve_with(caps={column: 3}, k=10).join(items, on="item_id").explode(column)
    counts = table.group_by("user_id", column).len()["len"]
    assert counts.max() == 3


def test_several_sources_are_named_and_quotas_are_filled(copy_of: Path, retrieve_with: Callable) -> None:
    sources = ["two_tower", "item_to_item", "recent_popularity", "item_knn", "fresh"]
    table = retrieve_with(sources=sources, quotas={"fresh": 2}, fresh_days=3000.0)
    assert set(table["source"]) <= set(sources)
    assert {"two_tower", "item_to_item"} <= set(table["source"])
    assert table.group_by("user_id").len()["len"].unique().to_list() == [40]
    first = pl.read_parquet(copy_of / "split" / "train.parquet").group_by("item_id").agg(pl.col("timestamp").min())
    newest = first.sort("timestamp", "item_id", descending=[True, False])["item_id"].head(1)[0]
    train = pl.concat([pl.read_parquet(copy_of / "split" / f"{part}.parquet") for part in ("train", "validation")])
    has_seen = train.filter(pl.col("item_id") == newest)["user_id"]
    listed = table.filter(pl.col("item_id") == newest)["user_id"]
    assert set(listed) == set(table["user_id"]) - set(has_seen)


def test_too_little_of_the_catalogue_stops_publication(
    copy_of: Path, retrieve_with: Callable, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "users.txt").write_text("u00003\n")
    before = (copy_of / "published" / "current").readlink()
    with pytest.raises(SystemExit):
        retrieve_with(users=str(tmp_path / "users.txt"), min_coverage=0.9)
    assert "at least 90.0% of" in capsys.readouterr().err
    assert (copy_of / "published" / "current").readlink() == before


def test_an_interrupted_search_goes_on_where_it_was(
    copy_of: Path, retrieve_with: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = pl.read_parquet(copy_of / "retrieve" / "candidates.parquet")
    done: list[int] = []

    def do(self: PartWorker, part: int) -> None:
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(part)
        original(self, part)

    original = PartWorker.do
    monkeypatch.setattr(PartWorker, "do", do)
    with pytest.raises(SystemExit):
        retrieve_with()
    assert len(done) == 2
    resumed: list[int] = []

    def count(self: PartWorker, part: int) -> None:
        resumed.append(part)
        original(self, part)

    monkeypatch.setattr(PartWorker, "do", count)
    assert retrieve_with().equals(whole)
    assert 0 not in resumed[:1]
    assert len(resumed) == 3 + 2 - 2


def test_parts_of_an_older_model_are_not_used(
    copy_of: Path, retrieve_with: Callable, monkeypatch: pytest.MonkeyPatch, run_stage: Callable
) -> None:
    original, n_done = PartWorker.do, [0]

    def stop_after_two(self: PartWorker, part: int) -> None:
        if n_done[0] == 2:
            raise KeyboardInterrupt
        n_done[0] += 1
        original(self, part)

    monkeypatch.setattr(PartWorker, "do", stop_after_two)
    with pytest.raises(SystemExit):
        retrieve_with()
    monkeypatch.undo()
    vectors = np.load(copy_of / "embed" / "users.npy")
    np.save(copy_of / "embed" / "users.npy", vectors[::-1])
    path = copy_of / "embed" / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"seconds": 0}))
    table = retrieve_with()
    first = table.filter(pl.col("user_id") == table["user_id"][0])
    items = pl.read_parquet(copy_of / "pairs" / "items.parquet")["item_id"]
    scores = np.load(copy_of / "embed" / "items.npy") @ vectors[-1]
    best = dict(zip(items, scores.tolist(), strict=True))
    np.testing.assert_allclose(first["score"].to_numpy(), [best[item] for item in first["item_id"]], atol=1e-5)


def test_denied_items_are_no_neighbours_either(copy_of: Path, retrieve_with: Callable, tmp_path: Path) -> None:
    denied = pl.read_parquet(copy_of / "pairs" / "items.parquet")["item_id"].gather_every(2)
    (tmp_path / "deny.txt").write_text("\n".join(denied))
    retrieve_with(deny=str(tmp_path / "deny.txt"))
    similar = pl.read_parquet(copy_of / "retrieve" / "similar.parquet")
    assert not set(similar["similar_item_id"]) & set(denied)
