from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pipelines.config import RetrieveSettings
from pipelines.search_plan import build_plan, moment
from recsys.core.errors import DataError
from recsys.data.vocabulary import Vocabulary, read_vocabulary


@pytest.fixture
def plan_of(finished: Path):
    items = read_vocabulary(finished / "pairs" / "items.parquet", id_column="item_id")
    table = pl.read_parquet(finished / "ingest" / "items.parquet")

    def build(**settings: object):
        return build_plan(RetrieveSettings.model_validate(settings), table, items=items, pairs=finished / "pairs")

    return build


@pytest.fixture
def items(finished: Path) -> Vocabulary:
    return read_vocabulary(finished / "pairs" / "items.parquet", id_column="item_id")


def test_without_settings_nothing_is_filtered_and_the_towers_are_the_source(plan_of) -> None:
    plan = plan_of()
    assert (plan.sources, plan.quotas, plan.orders, plan.allowed, plan.caps) == (("two_tower",), (0,), {}, None, None)


def test_orders_are_made_of_train_events_alone(plan_of, finished: Path, items: Vocabulary) -> None:
    plan = plan_of(sources=["two_tower", "recent_popularity", "fresh"], quotas={"fresh": 3}, recent_days=9e3, fresh_days=9e3)
    train = pl.read_parquet(finished / "split" / "train.parquet")
    counts = train.group_by("item_id").len().sort(pl.col("len"), "item_id", descending=[True, False])
    assert [items.ids[int(place)] for place in plan.orders["recent_popularity"]] == counts["item_id"].to_list()
    first = train.group_by("item_id").agg(pl.col("timestamp").min().dt.epoch("s")).sort("timestamp", descending=True)
    times = dict(first.iter_rows())
    ordered = [times[items.ids[int(place)]] for place in plan.orders["fresh"]]
    assert ordered == sorted(ordered, reverse=True)
    assert len(ordered) == len(items)
    assert plan.quotas == (0, 0, 3)


def test_caps_hold_for_each_value_of_the_column(plan_of, finished: Path, items: Vocabulary) -> None:
    table = pl.read_parquet(finished / "ingest" / "items.parquet")
    column = next(name for name, dtype in table.schema.items() if dtype == pl.List(pl.String))
    caps = plan_of(caps={column: 2}).caps
    assert caps.limits.tolist() == [2] * table[column].explode().drop_nulls().n_unique()
    rows = pl.DataFrame({"item_id": items.ids}).join(table, on="item_id", how="left", maintain_order="left")
    assert (caps.categories >= 0).sum(1).tolist() == rows[column].list.len().fill_null(0).to_list()
    same = rows[column].to_list()
    of = [frozenset(row[row >= 0].tolist()) for row in caps.categories]
    for a in range(20):
        for b in range(20):
            assert (of[a] == of[b]) == (set(same[a]) == set(same[b]))


def test_a_cap_on_no_category_is_refused(plan_of) -> None:
    with pytest.raises(DataError, match="'title' must be a category column of items"):
        plan_of(caps={"title": 2})


def test_an_allow_list_is_read_from_its_file(plan_of, items: Vocabulary, tmp_path: Path) -> None:
    (tmp_path / "allow.csv").write_text("item_id\n" + "\n".join(items.ids.head(3)))
    assert np.flatnonzero(plan_of(allow=str(tmp_path / "allow.csv")).allowed).tolist() == [0, 1, 2]


def test_the_moment_is_now_or_what_is_said_and_utc_without_a_zone() -> None:
    assert abs((moment(RetrieveSettings()) - datetime.now(UTC)).total_seconds()) < 60
    assert moment(RetrieveSettings(now="2026-01-02")) == datetime(2026, 1, 2, tzinfo=UTC)
    assert moment(RetrieveSettings(now="2026-01-02T03:00:00+02:00")) == datetime(2026, 1, 2, 1, tzinfo=UTC)
