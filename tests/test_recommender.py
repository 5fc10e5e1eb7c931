"""The Python door: what a notebook does, on frames of any kind, and what it says where something is wrong."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

import recsys
from recsys import Recommender
from recsys.core.errors import ArtefactError, ConfigError, DataError, NotFittedError, SchemaError
from recsys.data.synthetic import build_synthetic

SMALL = {"dim": 16, "n_blocks": 1, "n_epochs": 4, "batch_tokens": 512, "warmup_steps": 5, "threads": 1}


@pytest.fixture(scope="module")
def tables() -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """A log, items and users of a small world."""
    raw = build_synthetic(n_users=150, n_items=60, n_topics=5, seed=1)
    return raw.interactions.collect(), raw.items, raw.users


@pytest.fixture(scope="module")
def model(tables: tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]) -> Recommender:
    return Recommender(**SMALL).fit(tables[0], items=tables[1])


def test_lists_are_of_unseen_items_in_the_order_asked(model: Recommender, tables) -> None:
    found = model.recommend(["u00007", "u00003"], k=5)
    assert found.columns == ["user_id", "item_id", "rank", "score", "source"]
    assert found["user_id"].to_list() == ["u00007"] * 5 + ["u00003"] * 5
    assert found["rank"].to_list() == [1, 2, 3, 4, 5] * 2
    seen = tables[0].filter(pl.col("user_id") == "u00007")["item_id"]
    assert not set(found["item_id"][:5]) & set(seen)


@pytest.mark.slow
def test_the_lists_beat_popularity_on_what_comes_next(tables) -> None:
    log = tables[0].sort("user_id", "timestamp")
    last = log.group_by("user_id", maintain_order=True).tail(1)
    before = log.join(last, on=["user_id", "item_id", "timestamp"], how="anti")
    model = Recommender(**SMALL | {"n_epochs": 10}).fit(before)
    ours = dict(model.evaluate(last, k=10).select("metric", "value").iter_rows())
    popular = before.group_by("item_id").len().sort("len", descending=True)["item_id"].to_list()
    seen = {user: set(own["item_id"]) for (user,), own in before.partition_by("user_id", as_dict=True).items()}
    hits = [item in [one for one in popular if one not in seen[user]][:10] for user, item, _ in last.iter_rows()]
    assert ours["hr@10"] > np.mean(hits) + 0.1


def test_strangers_get_what_is_popular_and_are_told_from_others(model: Recommender) -> None:
    found = model.recommend(["nobody", "u00003"], k=2)
    assert found["source"].to_list() == ["fallback"] * 2 + ["two_tower"] * 2


def test_new_users_are_known_by_items(model: Recommender) -> None:
    found = model.recommend(history=["i00004", "i00005"], k=3)
    assert found["user_id"].null_count() == 3 and not set(found["item_id"]) & {"i00004", "i00005"}


def test_neighbours_words_and_reasons(model: Recommender, tables) -> None:
    assert "i00004" not in model.similar("i00004", k=3)["item_id"]
    topic = tables[1]["topic"][10][0]
    assert model.search(topic, k=3)["topic"].str.contains(topic).any()
    item = model.recommend(["u00003"], k=1)["item_id"][0]
    reasons = model.explain("u00003", item, k=2)
    assert set(reasons["item_id"]) <= set(tables[0].filter(pl.col("user_id") == "u00003")["item_id"])


def test_a_saved_model_answers_the_same_and_is_a_run_too(model: Recommender, tmp_path: Path) -> None:
    folder = model.save(tmp_path / "model")
    again = Recommender.load(folder)
    for ask in (
        lambda one: one.recommend(["u00003", "x"], k=4),
        lambda one: one.search("Tale 3"),
        lambda one: one.similar("i00004"),
    ):
        assert ask(again).equals(ask(model))
    opened = recsys.open_run(folder)
    assert opened.recommend(["u00003"], k=4)["item_id"].to_list() == model.recommend(["u00003"], k=4)["item_id"].to_list()
    model.save(folder)
    (folder / "embed" / "users.npy").write_bytes(b"x")
    with pytest.raises(ArtefactError, match=r"users.npy must be the file that was saved"):
        Recommender.load(folder)


def test_saving_overwrites_no_strangers(model: Recommender, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(ConfigError, match="must be an earlier model or not there yet"):
        model.save(tmp_path / "mine")
    with pytest.raises(ArtefactError, match="must be a saved Recommender"):
        Recommender.load(tmp_path)


def test_pandas_in_is_pandas_out_and_numbers_stay_numbers(tables) -> None:
    log = tables[0].select(
        pl.col("user_id").str.slice(1).cast(pl.Int64), pl.col("item_id").str.slice(1).cast(pl.Int64), "timestamp"
    )
    found = Recommender(**SMALL | {"n_epochs": 1}).fit(log.to_pandas()).recommend([3, 7], k=2)
    assert isinstance(found, pd.DataFrame)
    assert found["user_id"].tolist() == [3, 3, 7, 7] and found["item_id"].dtype == np.int64


def test_without_times_the_order_of_rows_is_the_order_of_events(tables) -> None:
    log = tables[0].sort("user_id", "timestamp").drop("timestamp").rename({"user_id": "who", "item_id": "what"})
    model = Recommender(**SMALL | {"n_epochs": 1}).fit(log, columns={"user_id": "who", "item_id": "what"})
    wanted = log.filter(pl.col("who") == "u00003")["what"].to_list()
    assert model._answers is not None and model._answers.history("u00003") == wanted
    assert not model._fitted.towers.spec.use_time  # type: ignore[union-attr]


def test_text_times_and_milliseconds_are_read(tables) -> None:
    log = tables[0].filter(pl.col("user_id") < "u00040")
    text = log.with_columns(pl.col("timestamp").dt.strftime("%Y-%m-%d %H:%M:%S"))
    numbers = log.with_columns(pl.col("timestamp").dt.epoch("ms"))
    lists = [Recommender(**SMALL | {"n_epochs": 1}).fit(own).recommend(["u00003"], k=5) for own in (log, text, numbers)]
    assert lists[0].equals(lists[1]) and lists[0].equals(lists[2])


def test_each_epoch_is_reported(tables) -> None:
    seen = []
    model = Recommender(**SMALL | {"n_epochs": 2}).fit(tables[0], on_epoch=seen.append)
    assert seen == model.epochs and [record.epoch for record in seen] == [1, 2]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"dimm": 3}, "dimm must be a known key, got an unknown one; the nearest is dim"),
        ({"dim": 0}, "dim must be an integer at least 4"),
        ({"dim": 30, "n_heads": 4}, "dim must be a multiple of twice n_heads"),
    ],
)
def test_wrong_settings_are_refused_before_any_work(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Recommender(**settings)


def test_what_is_wrong_with_frames_is_told(model: Recommender, tables) -> None:
    log = tables[0]
    with pytest.raises(SchemaError, match="column 'item_id' must be present, got user_id, timestamp"):
        Recommender(**SMALL).fit(log.drop("item_id"))
    with pytest.raises(SchemaError, match="log: it must be a polars or pandas frame, got list"):
        Recommender(**SMALL).fit([1, 2])
    with pytest.raises(SchemaError, match="column 'timestamp' must hold times, got 'soon'"):
        Recommender(**SMALL).fit(log.with_columns(timestamp=pl.lit("soon")))
    with pytest.raises(DataError, match="at least one event must be there, got no row"):
        Recommender(**SMALL).fit(log.clear())
    with pytest.raises(DataError, match="column 'user_id' must have a value in each row, got none in 1 of"):
        Recommender(**SMALL).fit(pl.concat([log, log.head(1).with_columns(user_id=pl.lit(None, pl.String))]))
    with pytest.raises(DataError, match=r"items: some item_id must be in the log too, got none of 60"):
        Recommender(**SMALL).fit(log, items=tables[1].with_columns(item_id=pl.lit("x") + pl.col("item_id")))
    with pytest.raises(SchemaError, match="held_out: column 'item_id' must be present"):
        model.evaluate(log.drop("item_id"))
    with pytest.raises(ConfigError, match="a list of ids must be given, got 'u00003'"):
        model.recommend("u00003")


@pytest.mark.parametrize("ask", ["recommend", "similar", "search", "evaluate", "save"])
def test_a_model_that_was_not_fitted_says_so(ask: str) -> None:
    arguments = {"recommend": [["x"]], "evaluate": [pl.DataFrame({"user_id": ["a"], "item_id": ["b"]})]}.get(ask, ["x"])
    with pytest.raises(NotFittedError, match=f"{ask}: the model must be fitted first"):
        getattr(Recommender(), ask)(*arguments)


def test_an_item_that_only_last_events_have_is_not_lost() -> None:
    rows = [(f"u{user}", f"i{(user + step) % 6}", step) for user in range(12) for step in range(4)] + [("u3", "late", 9)]
    log = pl.DataFrame(rows, schema=["user_id", "item_id", "timestamp"], orient="row")
    model = Recommender(**SMALL | {"n_epochs": 1}).fit(log)
    assert model.similar("late", k=2).height == 2


def test_importing_is_quick_and_pulls_no_model_library() -> None:
    program = (
        "import time; begin = time.perf_counter(); import recsys; seconds = time.perf_counter() - begin; import sys; "
        "print(seconds, recsys.__version__, [name for name in ('torch', 'annoy', 'mlflow', 'polars') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    seconds, version, heavy = done.stdout.strip().split(" ", 2)
    assert float(seconds) < 0.3 and heavy == "[]"
    assert version.count(".") == 2
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        recsys.nothing  # noqa: B018


@pytest.mark.slow
def test_the_door_needs_neither_annoy_nor_mlflow(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['annoy'] = sys.modules['mlflow'] = sys.modules['faiss'] = None\n"
        "import polars as pl\nfrom recsys import Recommender\n"
        "log = pl.DataFrame({'user_id': [1, 1, 1, 2, 2, 2] * 2, 'item_id': list(range(6)) * 2, 'timestamp': range(12)})\n"
        "model = Recommender(dim=8, n_blocks=1, n_epochs=1).fit(log)\nprint(model.recommend([1], k=1).height)\n"
        f"model.save('{tmp_path / 'm'}'); print(Recommender.load('{tmp_path / 'm'}').recommend([1], k=1).height)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.split() == ["1", "1"], done.stderr[-2000:]


def test_ids_that_pandas_made_floats_are_found(tables) -> None:
    log = tables[0].with_columns(pl.col("user_id", "item_id").str.slice(1).cast(pl.Float64)).to_pandas()
    model = Recommender(**SMALL | {"n_epochs": 1}).fit(log)
    assert set(model.recommend([7.0], k=2)["source"]) == {"two_tower"}
    assert len(model.similar(4.0, k=2)) == 2
    assert set(model.recommend(pd.DataFrame({"user_id": [7.0, 3.0]}), k=2)["source"]) == {"two_tower"}


def test_the_order_of_one_basket_in_the_file_is_not_learned(tmp_path: Path) -> None:
    """Baskets are sorted by item in the file; a history has the same baskets, each in an order that no file can teach."""
    rng = np.random.default_rng(0)
    baskets = {
        (f"u{user:02d}", basket): sorted(f"i{item:02d}" for item in rng.choice(60, 5, replace=False))
        for user in range(40)
        for basket in range(3)
    }
    rows = [(user, item, 1_600_000_000 + 86_400 * day) for (user, day), items in baskets.items() for item in items]
    log = pl.DataFrame(rows, schema=["user_id", "item_id", "timestamp"], orient="row")
    run = recsys.open_run(Recommender(**SMALL | {"n_epochs": 1}).fit(log).save(tmp_path / "model"))
    read = {key: run.history(key[0])[5 * key[1] : 5 * key[1] + 5] for key in baskets}
    assert {key: sorted(items) for key, items in read.items()} == baskets
    assert np.mean([items == baskets[key] for key, items in read.items()]) < 0.1


def test_dates_that_can_be_read_in_two_ways_are_refused(tables) -> None:
    log = tables[0].with_columns(timestamp=pl.lit("03/04/2026"))
    with pytest.raises(SchemaError, match="day first or month first"):
        Recommender(**SMALL).fit(log)


def test_what_a_killed_save_left_is_no_hindrance(model: Recommender, tmp_path: Path) -> None:
    (tmp_path / ".kept.partial" / "ingest").mkdir(parents=True)
    (tmp_path / ".kept.partial" / "ingest" / "half").touch()
    assert Recommender.load(model.save(tmp_path / "kept")).recommend(["u00003"], k=1).height == 1
    assert not (tmp_path / "kept" / "ingest" / "half").exists()


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ({"text_dim": -3}, "text_dim must be an integer at least 0"),
        ({"search_dim": "512"}, "search_dim must be an integer"),
        ({"text_encoder": "word"}, "text_encoder must be 'words' or 'sentences'"),
        ({"search_dm": 5}, "search_dm must be a known key, got an unknown one; the nearest is search_dim"),
    ],
)
def test_every_setting_is_checked_when_it_is_given(setting: dict, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        Recommender(**setting)


def test_users_of_one_pair_keep_it() -> None:
    """Two events are one target; where nobody has a third, there is nothing to validate on and all of them are learned."""
    log = pl.DataFrame(
        [(f"u{user}", f"i{(user + position) % 2}") for user in range(40) for position in range(2)],
        schema=["user_id", "item_id"],
        orient="row",
    )
    model = Recommender(**SMALL | {"n_epochs": 3}).fit(log)
    assert model.epochs[-1].n_targets == 40 and model.epochs[-1].validation_ndcg is None


@pytest.mark.slow
def test_a_loaded_model_stays_what_it_was_when_its_folder_is_saved_over(model: Recommender, tables, tmp_path: Path) -> None:
    model.save(tmp_path / "kept")
    loaded = Recommender.load(tmp_path / "kept")
    Recommender(**SMALL | {"n_epochs": 1, "seed": 9}).fit(tables[0], items=tables[1]).save(tmp_path / "kept")
    for ask in (lambda one: one.recommend(history=["i00004"]), lambda one: one.explain("u00003", "i00004")):
        assert ask(loaded)["item_id"].equals(ask(model)["item_id"])


def test_a_fit_that_fails_leaves_the_model_as_it_was(tables) -> None:
    log = tables[0].with_columns(pl.col("user_id", "item_id").str.slice(1).cast(pl.Int64))
    model = Recommender(**SMALL | {"n_epochs": 1}).fit(log)
    epochs = model.epochs
    with pytest.raises(SchemaError):
        model.fit(pd.DataFrame({"user_id": ["a"]}))
    assert model.recommend([3], k=2).schema["item_id"] == pl.Int64() and model.epochs is epochs


def test_who_asks_twice_gets_one_list_beside_a_stranger_too(model: Recommender) -> None:
    assert model.recommend(["u00003", "nobody", "u00003"], k=2)["rank"].to_list() == [1, 2, 1, 2]


def test_answers_take_series_and_arrays_of_ids(model: Recommender, tmp_path: Path) -> None:
    run = recsys.open_run(model.save(tmp_path / "kept"))
    wanted = run.recommend(["u00003"], k=2)
    assert run.recommend(pl.Series(["u00003"]), k=2).equals(wanted)
    assert run.recommend(np.array(["u00003"]), k=2).equals(wanted)
    assert run.recommend(history=np.array(["i00004"]), k=2).height == 2


def test_a_missing_item_of_the_held_out_is_no_miss(model: Recommender, tables) -> None:
    held_out = tables[0].group_by("user_id", maintain_order=True).tail(1)
    with pytest.raises(DataError, match="item_id: each id must have a value"):
        model.evaluate(held_out.with_columns(item_id=pl.lit(None, pl.String)))
