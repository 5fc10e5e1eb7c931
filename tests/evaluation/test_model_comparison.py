from pathlib import Path

import polars as pl
import pytest

from recsys.core.errors import DataError
from recsys.core.files import read_json
from recsys.evaluation.model_comparison import compare_on_test, read_test


@pytest.fixture
def test_of(finished: Path):  # type: ignore[no-untyped-def]
    return read_test(finished)


def _lists(run: Path, name: str) -> pl.DataFrame:
    return pl.read_parquet(run / name).select("user_id", "item_id", "rank")


def test_figures_are_those_of_the_report(finished: Path, test_of) -> None:  # type: ignore[no-untyped-def]
    ours, knn = _lists(finished, "retrieve/candidates.parquet"), _lists(finished, "baselines/item_knn.parquet")
    found = {each.metric: each for each in compare_on_test(knn, ours, *test_of, ks=[5, 20])}
    rows = read_json(finished / "evaluate" / "metrics.json")
    reported = {(row["model"], row["metric"]): row["value"] for row in rows}
    for metric in ("hr@5", "ndcg@5", "recall@20", "map@20"):
        assert found[metric].first == pytest.approx(reported["item-knn", metric])
        assert found[metric].second == pytest.approx(reported["two-tower", metric])
        assert found[metric].difference.value == pytest.approx(found[metric].second - found[metric].first)


def test_lists_that_find_everything_are_better_and_the_same_lists_are_not(test_of) -> None:  # type: ignore[no-untyped-def]
    judgements, _ = test_of
    perfect = judgements.pairs.with_columns(rank=pl.lit(1, pl.Int32)).unique("user_id")
    wrong = perfect.with_columns(item_id=pl.lit("nothing"))
    assert {each.in_words for each in compare_on_test(wrong, perfect, *test_of, ks=[1])} == {"second is better"}
    assert {each.in_words for each in compare_on_test(perfect, wrong, *test_of, ks=[1])} == {"first is better"}
    assert {each.in_words for each in compare_on_test(perfect, perfect, *test_of, ks=[1])} == {"not distinguishable"}


def test_only_users_with_a_list_in_both_are_judged(finished: Path, test_of) -> None:  # type: ignore[no-untyped-def]
    ours = _lists(finished, "retrieve/candidates.parquet")
    some = ours.filter(pl.col("user_id").is_in(ours["user_id"].unique().sort().head(40).implode()))
    assert {each.n_users for each in compare_on_test(some, ours, *test_of, ks=[5])} == {40}
    with pytest.raises(DataError, match="some user of the test must have a list in both, got 0 users with two lists"):
        compare_on_test(some.with_columns(user_id=pl.lit("strange")), ours, *test_of, ks=[5])
