"""What a finished run answers: lists, neighbours, words, reasons, figures."""

import json
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from recsys.core.errors import ArtefactError, ConfigError, DataError
from recsys.inference.embedding import encode_contents
from recsys.serving.answers import Answers
from recsys.serving.opened_run import open_run


@pytest.fixture(scope="module")
def space(finished: Path) -> Answers:
    return open_run(finished)


@pytest.fixture(scope="module")
def items(finished: Path) -> pl.DataFrame:
    return pl.read_parquet(finished / "ingest" / "items.parquet")


def test_texts_and_items_are_unit_vectors_of_one_space(space: Answers, items: pl.DataFrame) -> None:
    words = [items["title"][0], items["title"][7]]
    for vectors in (space.encode_text(words), space.encode_items(items.head(5))):
        assert vectors.shape[1] == space.dim == 16
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_known_items_have_their_own_vectors_and_new_ones_those_of_their_texts(
    space: Answers, items: pl.DataFrame, finished: Path
) -> None:
    known = pl.read_parquet(finished / "pairs" / "items.parquet")["item_id"]
    table = items.filter(pl.col("item_id").is_in(known.implode())).head(2)
    new = table.with_columns(item_id=pl.lit("n") + pl.col("item_id"))
    both = space.encode_items(pl.concat([new, table]))
    trained = np.load(finished / "embed" / "items.npy")
    rows = [known.to_list().index(item) for item in table["item_id"]]
    np.testing.assert_array_equal(both[2:], trained[rows])
    texts = [" ".join([title, *genres, *years]) for title, genres, years in _described(new)]
    wanted = encode_contents(space._shelf.towers, space._shelf.encoder.encode(texts))
    np.testing.assert_allclose(both[:2], wanted, atol=1e-5)


def _described(table: pl.DataFrame) -> list[tuple[str, list[str], list[str]]]:
    categories = [name for name, dtype in table.schema.items() if dtype == pl.List(pl.String)]
    numbers = [name for name, dtype in table.schema.items() if dtype == pl.Float64]
    rows = table.to_dicts()
    return [
        (row["title"], [one for name in categories for one in row[name]], [str(int(row[name])) for name in numbers])
        for row in rows
    ]


def test_the_nearest_come_with_scores_and_what_is_known_of_them(space: Answers, items: pl.DataFrame) -> None:
    vectors = space.encode_items(items.head(3))
    found = space.nearest(vectors, k=4)
    assert found.height == 12 and found["query"].to_list() == [q for q in range(3) for _ in range(4)]
    assert found.filter(pl.col("rank") == 1)["item_id"].to_list() == items["item_id"].head(3).to_list()
    assert found.filter(pl.col("rank") == 1)["score"].to_list() == pytest.approx([1, 1, 1], abs=1e-3)
    assert "title" in found.columns
    denied = space.nearest(vectors[:1], k=4, deny=[items["item_id"][0]])
    assert items["item_id"][0] not in denied["item_id"]


def test_filters_keep_to_a_category(space: Answers, items: pl.DataFrame) -> None:
    column = next(name for name, dtype in items.schema.items() if dtype == pl.List(pl.String))
    value = items[column].explode().drop_nulls().mode()[0]
    found = space.nearest(space.encode_text([value]), k=6, only={column: [value]})
    kept = items.filter(pl.col("item_id").is_in(found["item_id"].implode()))
    assert found.height == 6 and kept[column].list.contains(value).all()


def test_words_that_no_item_has_and_items_of_which_nothing_is_known_are_refused(space: Answers) -> None:
    with pytest.raises(DataError, match="a text must have a word that the items' texts have too, got 'qqq'"):
        space.encode_text(["qqq"])
    with pytest.raises(DataError, match="some text, category or number must be known, got none for 'n1'"):
        space.encode_items(pl.DataFrame({"item_id": ["n1"]}))


def test_a_run_without_texts_says_what_to_do(copy_of: Path) -> None:
    spec = json.loads((copy_of / "train" / "spec.json").read_text())
    (copy_of / "train" / "spec.json").write_text(json.dumps(spec | {"search_dim": 0}))
    from recsys.models.checkpoint import read_tensors, write_tensors

    weights = read_tensors(copy_of / "train" / "model.safetensors")
    kept = {name: tensor for name, tensor in weights.items() if not name.startswith(("text_tower.", "content_tower."))}
    write_tensors(copy_of / "train" / "model.safetensors", kept)
    with pytest.raises(ArtefactError, match="\\[pairs\\] search_dim above 0"):
        open_run(copy_of).encode_text(["anything"])


def test_items_that_stand_back_in_lists_count_in_full_for_texts_and_are_exported(
    copy_of: Path, items: pl.DataFrame, recsys, tmp_path: Path
) -> None:  # type: ignore[no-untyped-def]
    path = copy_of / "embed" / "manifest.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps(manifest | {"config": manifest["config"] | {"cold_scale": 0.5}}))
    items.head(1).with_columns(item_id=pl.lit("n1")).write_parquet(tmp_path / "new.parquet")
    assert recsys("add-items", str(tmp_path / "new.parquet"), "--run", str(copy_of))[0] == 0
    space = open_run(copy_of)
    own = space.encode_items(pl.DataFrame({"item_id": ["n1"]}))
    assert np.linalg.norm(own) == pytest.approx(1, abs=1e-5)
    first = space.nearest(own, k=1)
    assert first["item_id"].to_list() == ["n1"] and first["score"][0] == pytest.approx(1, abs=1e-3)
    behind = space.nearest(own, k=121, are_users=True).filter(pl.col("item_id") == "n1")
    assert behind["score"][0] == pytest.approx(0.5, abs=1e-3)
    space.export(tmp_path / "out")
    last = pl.read_parquet(tmp_path / "out" / "items.parquet").tail(1)
    assert last["item_id"].to_list() == ["n1"] and last["title"][0] == items["title"][0]
    np.testing.assert_allclose(np.load(tmp_path / "out" / "items.npy")[-1:], own, atol=1e-6)


def test_ids_may_be_numbers_and_must_be_there(space: Answers) -> None:
    with pytest.raises(DataError, match="must be known, got none for '7'"):
        space.encode_items(pl.DataFrame({"item_id": [7]}))
    with pytest.raises(DataError, match="the table must have item_id, got title"):
        space.encode_items(pl.DataFrame({"title": ["x"]}))


def test_an_export_replaces_an_export_and_no_other_table(space: Answers, items: pl.DataFrame, tmp_path: Path) -> None:
    for _ in range(2):
        space.export(tmp_path / "out")
    items.write_parquet(tmp_path / "items.parquet")
    with pytest.raises(ConfigError, match="must be of an earlier export or not there, got a file without vectors"):
        space.export(tmp_path)
    assert pl.read_parquet(tmp_path / "items.parquet").equals(items)
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "users.parquet").write_text("no table")
    with pytest.raises(ConfigError, match="got a file without vectors"):
        space.export(tmp_path / "notes")
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="must be writable"):
        space.export(tmp_path / "file" / "below")


def test_vectors_are_exported_with_ids_row_by_row_alike(space: Answers, finished: Path, tmp_path: Path) -> None:
    written = space.export(tmp_path / "out")
    assert [path.name for path in written] == ["items.parquet", "items.npy", "users.parquet", "users.npy"]
    for side, column in (("items", "item_id"), ("users", "user_id")):
        table, vectors = pl.read_parquet(tmp_path / "out" / f"{side}.parquet"), np.load(tmp_path / "out" / f"{side}.npy")
        np.testing.assert_array_equal(np.array(table["vector"].to_list(), np.float32), vectors)
        np.testing.assert_array_equal(vectors, np.load(finished / "embed" / f"{side}.npy"))
        assert table[column].to_list() == pl.read_parquet(finished / "pairs" / f"{side}.parquet")[column].to_list()
    assert "title" in pl.read_parquet(tmp_path / "out" / "items.parquet").columns
    shutil.rmtree(tmp_path / "out")


def test_known_users_get_the_lists_of_the_candidates_and_strangers_the_popular_ones(space: Answers, finished: Path) -> None:
    table = pl.read_parquet(finished / "retrieve" / "candidates.parquet")
    known = table["user_id"].unique().sort().head(2).to_list()
    found = space.recommend([known[1], "nobody", known[0]], k=5)
    assert found["user_id"].unique(maintain_order=True).to_list() == [known[1], "nobody", known[0]]
    for user in known:
        own = found.filter(pl.col("user_id") == user)
        assert own["item_id"].to_list() == table.filter(pl.col("user_id") == user)["item_id"].head(5).to_list()
        assert own["source"].unique().to_list() == ["two_tower"]
    counts = pl.read_parquet(finished / "split" / "train.parquet").group_by("item_id").len()
    popular = counts.sort(pl.col("len"), "item_id", descending=[True, False])["item_id"].head(5)
    stranger = found.filter(pl.col("user_id") == "nobody")
    assert stranger["source"].unique().to_list() == ["fallback"]
    assert set(stranger["item_id"]) <= set(counts.filter(pl.col("len") >= counts["len"].top_k(5).min())["item_id"])
    assert len(popular) == stranger.height == 5


def test_nobody_asked_is_no_list_and_strangers_keep_to_filters(space: Answers, items: pl.DataFrame) -> None:
    assert space.recommend([]).columns == ["user_id", "item_id", "rank", "score", "source"]
    assert space.recommend([]).is_empty()
    column = next(name for name, dtype in items.schema.items() if dtype == pl.List(pl.String))
    value = items[column].explode().drop_nulls().mode()[0]
    found = space.recommend(["nobody"], k=3, only={column: [value]})
    assert items.filter(pl.col("item_id").is_in(found["item_id"].implode()))[column].list.contains(value).all()
    first = found["item_id"][0]
    assert first not in space.recommend(["nobody"], k=3, deny=[first])["item_id"]


def test_one_way_of_asking_at_a_time(space: Answers) -> None:
    with pytest.raises(ConfigError, match="one of users, history and attributes must be given, got users and history"):
        space.recommend(["u00001"], history=["i00001"])
    with pytest.raises(ConfigError, match="must be given, got none"):
        space.recommend()


def test_the_score_is_that_of_the_candidates_and_reasons_are_the_users_items(space: Answers, finished: Path) -> None:
    row = pl.read_parquet(finished / "retrieve" / "candidates.parquet").row(0, named=True)
    reasons = space.explain(row["user_id"], row["item_id"], k=999)
    assert reasons["score"].unique().to_list() == [pytest.approx(row["score"], abs=0.01)]
    parts = [pl.read_parquet(finished / "split" / f"{part}.parquet") for part in ("train", "validation")]
    seen = pl.concat([part.filter(pl.col("user_id") == row["user_id"]).select("item_id") for part in parts])["item_id"]
    assert sorted(reasons["item_id"]) == sorted(set(seen))
    assert reasons["fall"].is_sorted(descending=True)
    assert reasons.select((pl.col("score") - pl.col("without") - pl.col("fall")).abs().max()).item() < 1e-12


@pytest.mark.parametrize(("user", "item", "kind"), [("nobody", "i00001", "user"), ("u00001", "nothing", "item")])
def test_strangers_cannot_be_explained(space: Answers, user: str, item: str, kind: str) -> None:
    with pytest.raises(DataError, match=f"the {kind} must be in the training set"):
        space.explain(user, item)


def test_figures_are_those_of_the_evaluation(space: Answers, finished: Path) -> None:
    found = dict(
        space.evaluate(pl.read_parquet(finished / "split" / "test.parquet"), k=5).select("metric", "value").iter_rows()
    )
    rows = json.loads((finished / "evaluate" / "metrics.json").read_text())
    wanted = {row["metric"]: row["value"] for row in rows if row["model"] == "two-tower"}
    for metric in ("hr@5", "recall@5", "ndcg@5", "coverage@5"):
        assert found[metric] == pytest.approx(wanted[metric])


def test_only_a_finished_run_is_opened(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match="must be a finished run, got none"):
        open_run(tmp_path)
