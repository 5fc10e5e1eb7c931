import numpy as np
import polars as pl
import pytest

from recsys.candidates.candidate_search import SearchPlan
from recsys.candidates.table import write_candidates
from recsys.core.errors import DataError
from recsys.core.files import read_array, write_array
from recsys.data.vocabulary import read_vocabulary, write_vocabulary
from recsys.index.filters import SeenItems
from recsys.index.nearest import Found
from recsys.index.published import build_index, open_index
from recsys.serving.retriever import open_retriever

_K = 8


@pytest.fixture(params=["annoy", "exact"])
def run(tmp_path, world, unit_vectors, request):
    """A run folder with vocabularies, histories, random vectors and an index."""
    write_vocabulary(tmp_path / "pairs" / "users.parquet", world.users, id_column="user_id", idx_column="user_idx")
    write_vocabulary(tmp_path / "pairs" / "items.parquet", world.items, id_column="item_id", idx_column="item_idx")
    for name in ("item_idx", "offsets"):
        write_array(tmp_path / "pairs" / f"{name}.npy", getattr(world.histories, name))
    users, items = unit_vectors(len(world.users), 8), unit_vectors(len(world.items), 8, seed=1)
    write_array(tmp_path / "embed" / "users.npy", users)
    write_array(tmp_path / "embed" / "items.npy", items)
    path = tmp_path / "embed" / "items.npy"
    build_index(tmp_path / "index", path, users, backend=request.param, k=_K, target_recall=0.9, n_queries=50, seed=0)
    SearchPlan().write(tmp_path / "search")
    return tmp_path


@pytest.fixture
def retriever(run):
    return open_retriever(pairs=run / "pairs", embed=run / "embed", index=run / "index", search=run / "search")


@pytest.fixture
def batch(run):
    """The table that batch retrieval writes for all users."""
    pairs, embed = run / "pairs", run / "embed"
    offsets, vectors = read_array(pairs / "offsets.npy"), read_array(embed / "users.npy")
    seen = SeenItems(item_idx=read_array(pairs / "item_idx.npy"), starts=offsets[:-1], ends=offsets[1:])
    found = open_index(run / "index", embed / "items.npy").search(np.array(vectors), k=_K, seen=seen)
    write_candidates(
        run / "candidates.parquet",
        [(np.arange(len(vectors)), Found.of_one(found))],
        users=read_vocabulary(pairs / "users.parquet", id_column="user_id"),
        items=read_vocabulary(pairs / "items.parquet", id_column="item_id"),
        metadata={},
    )
    return pl.read_parquet(run / "candidates.parquet")


def test_one_answer_equals_batch_retrieval(retriever, batch):
    for user in retriever.users.ids[:10]:
        alone = retriever.recommend([user], k=_K)
        wanted = batch.filter(pl.col("user_id") == user)
        assert alone.drop("score").equals(wanted.drop("score"))
        np.testing.assert_allclose(alone["score"], wanted["score"], atol=1e-6)


def test_many_answers_equal_batch_retrieval(retriever, batch):
    everyone = retriever.recommend(retriever.users.ids.to_list(), k=_K)
    assert everyone.drop("score").equals(batch.drop("score"))


def test_users_come_in_the_order_asked_and_unknown_ones_get_no_rows(retriever):
    first, second = retriever.users.ids[9], retriever.users.ids[2]
    answer = retriever.recommend([first, "nobody", second], k=3)
    assert answer["user_id"].to_list() == [first] * 3 + [second] * 3
    assert answer["rank"].to_list() == [1, 2, 3] * 2


def test_an_unknown_user_alone_gets_an_empty_table_of_the_same_columns(retriever):
    answer = retriever.recommend(["nobody"], k=3)
    assert answer.is_empty()
    assert answer.schema == retriever.recommend([retriever.users.ids[0]], k=3).schema


def test_nothing_of_the_history_is_recommended(retriever):
    for user in retriever.users.ids[:20]:
        listed = set(retriever.recommend([user], k=_K)["item_id"])
        assert len(listed) == _K
        assert not listed & set(retriever.history(user))


def test_the_history_is_train_and_validation_in_order(retriever, world):
    user = retriever.users.ids[4]
    events = pl.concat([world.split.train, world.split.validation]).filter(pl.col("user_id") == user).sort("timestamp")
    known = events.filter(pl.col("item_id").is_in(world.items.ids.implode()))
    assert retriever.history(user) == known["item_id"].to_list()


def test_similar_never_returns_the_item_itself_and_scores_are_cosines(retriever, run):
    vectors = np.array(read_array(run / "embed" / "items.npy"))
    for position, item in enumerate(retriever.items.ids.to_list()):
        answer = retriever.similar(item, k=5)
        assert item not in answer["item_id"].to_list()
        assert answer["rank"].to_list() == [1, 2, 3, 4, 5]
        others = [retriever.items.idx_of(other) for other in answer["item_id"]]
        np.testing.assert_allclose(answer["score"], vectors[others] @ vectors[position], atol=1e-6)


def test_similar_to_the_whole_catalogue_is_everything_else(retriever):
    item = retriever.items.ids[0]
    answer = retriever.similar(item, k=len(retriever.items))
    assert sorted(answer["item_id"]) == retriever.items.ids.to_list()[1:]


def test_unknown_ids_are_named(retriever):
    with pytest.raises(DataError, match="'nothing'"):
        retriever.similar("nothing", k=3)
    with pytest.raises(DataError, match="'nobody'"):
        retriever.history("nobody")


@pytest.mark.parametrize("ask", ["recommend", "similar"])
def test_more_than_the_catalogue_is_refused(retriever, ask):
    who = [retriever.users.ids[0]] if ask == "recommend" else retriever.items.ids[0]
    with pytest.raises(DataError, match="at most the catalogue"):
        getattr(retriever, ask)(who, k=len(retriever.items) + 1)


def test_a_filter_of_the_request_is_kept(retriever):
    allowed = np.arange(len(retriever.items)) % 2 == 0
    answer = retriever.recommend([retriever.users.ids[0]], k=_K, allowed=allowed)
    assert len(answer) == _K
    assert set(answer["item_id"]) <= set(retriever.items.ids.filter(pl.Series(allowed)))


def test_the_plan_of_the_run_is_kept(run):
    denied = np.arange(len(read_vocabulary(run / "pairs" / "items.parquet", id_column="item_id"))) >= 10
    SearchPlan(allowed=denied).write(run / "search")
    retriever = open_retriever(pairs=run / "pairs", embed=run / "embed", index=run / "index", search=run / "search")
    answer = retriever.recommend([retriever.users.ids[0]], k=_K)
    assert not set(answer["item_id"]) & set(retriever.items.ids.head(10))
