from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from recsys.candidates.candidate_search import read_plan
from recsys.candidates.caps import Caps
from recsys.candidates.changes import Changes
from recsys.candidates.item_rules import ItemRules
from recsys.candidates.plan import Asked, build_plan, update_plan
from recsys.core.errors import DataError
from recsys.data.vocabulary import Vocabulary, read_vocabulary

_NOW = datetime(2026, 1, 1, tzinfo=UTC)


def _changes(added: tuple[str, ...] = (), deleted: tuple[str, ...] = ()) -> Changes:
    vectors = np.eye(16, dtype=np.float32)[: len(added)]
    return Changes(
        added=pl.Series(added, dtype=pl.String),
        vectors=vectors,
        deleted=pl.Series(deleted, dtype=pl.String),
        of_other_models=pl.Series([], dtype=pl.String),
    )


@pytest.fixture
def plan_of(finished: Path):
    items = read_vocabulary(finished / "pairs" / "items.parquet", id_column="item_id")
    table = pl.read_parquet(finished / "ingest" / "items.parquet")

    def build(changes: Changes | None = None, **settings: object):
        own = {name: settings.pop(name) for name in ("allow", "deny", "categories") if name in settings}
        asked = Asked(**({"k": 100} | settings), rules=ItemRules(**own, now=_NOW))
        return build_plan(asked, table, items=items, pairs=finished / "pairs", changes=changes or _changes())

    return build


@pytest.fixture
def items(finished: Path) -> Vocabulary:
    return read_vocabulary(finished / "pairs" / "items.parquet", id_column="item_id")


def test_without_settings_nothing_is_filtered_and_the_towers_are_the_source(plan_of) -> None:
    plan = plan_of()
    assert (plan.sources, plan.quotas, plan.orders, plan.allowed, plan.caps) == (("two_tower",), (0,), {}, None, None)


def test_orders_are_made_of_train_events_alone(plan_of, finished: Path, items: Vocabulary) -> None:
    plan = plan_of(sources=["two_tower", "fresh"], quotas={"fresh": 3}, fresh_days=9e3)
    train = pl.read_parquet(finished / "split" / "train.parquet")
    first = train.group_by("item_id").agg(pl.col("timestamp").min().dt.epoch("s")).sort("timestamp", descending=True)
    times = dict(first.iter_rows())
    ordered = [times[items.ids[int(position)]] for position in plan.orders["fresh"]]
    assert ordered == sorted(ordered, reverse=True)
    assert len(ordered) == len(items)
    assert plan.quotas == (0, 3)


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


def test_an_allow_list_leaves_its_items_alone(plan_of, items: Vocabulary) -> None:
    assert np.flatnonzero(plan_of(allow=items.ids.head(3).to_list()).allowed).tolist() == [0, 1, 2]


def test_added_items_are_allowed_as_the_rules_say_and_deleted_ones_are_not(plan_of, items: Vocabulary, finished: Path) -> None:
    changes = _changes(("new", "newer"), ("newer", items.ids[0]))
    plan = plan_of(changes)
    assert np.flatnonzero(~plan.allowed).tolist() == [0, len(items) + 1]
    assert (plan.added_ids, plan.has_rules) == (("new", "newer"), False)
    table = pl.read_parquet(finished / "ingest" / "items.parquet")
    column = next(name for name, dtype in table.schema.items() if dtype == pl.List(pl.String))
    ruled = plan_of(changes, categories={column: [table[column].explode().drop_nulls()[0]]}, caps={column: 2})
    assert not ruled.allowed[-2:].any()
    assert ruled.has_rules
    assert ruled.caps.categories.shape[0] == len(items) + 2


def test_a_plan_takes_up_the_changes_that_came_after_it(plan_of, finished: Path, items: Vocabulary) -> None:
    later = _changes(("new", "newer"), ("newer", items.ids[0]))
    updated = update_plan(plan_of(_changes(("new",))), later, items=items, pairs=finished / "pairs")
    expected = plan_of(later)
    assert updated.allowed.tolist() == expected.allowed.tolist()
    assert updated.added_ids == expected.added_ids
    ruled = update_plan(plan_of(deny=[items.ids[1]]), later, items=items, pairs=finished / "pairs")
    assert np.flatnonzero(~ruled.allowed).tolist() == [0, 1, len(items), len(items) + 1]
    assert update_plan(plan_of(), _changes(), items=items, pairs=finished / "pairs").allowed is None


def test_rules_and_caps_go_with_the_items_when_their_order_changes(plan_of, finished: Path, items: Vocabulary) -> None:
    cold = pl.DataFrame(
        {"item_id": ["c1", "c2", "c3"], "vector": [[1.0, 0.0]] * 3},
        schema={"item_id": pl.String, "vector": pl.Array(pl.Float32, 2)},
    )
    nothing = Changes(
        added=pl.Series([], dtype=pl.String),
        vectors=np.zeros((0, 2), np.float32),
        deleted=pl.Series([], dtype=pl.String),
        of_other_models=pl.Series([], dtype=pl.String),
    )
    allowed = np.append(np.ones(len(items), bool), [True, False, True])
    categories = np.arange(len(allowed), dtype=np.int32)[:, None]
    before = replace(
        plan_of(_changes()),
        allowed=allowed,
        added_ids=("c1", "c2", "c3"),
        has_rules=True,
        caps=Caps(categories=categories, limits=np.ones(len(allowed), np.int64)),
    )
    added = replace(nothing, added=pl.Series(["c3", "new"]), vectors=np.ones((2, 2), np.float32))
    after = update_plan(before, added.after(cold), items=items, pairs=finished / "pairs")
    assert after.added_ids == ("c3", "new", "c1", "c2")
    assert after.allowed[len(items) :].tolist() == [True, False, True, False], "what rules say of new is not known"
    n = len(items)
    assert after.caps.categories[n:, 0].tolist() == [n + 2, -1, n, n + 1]


def test_who_took_a_new_item_before_the_request_is_found_by_its_id(plan_of, copy_of: Path, items: Vocabulary) -> None:
    events = {"user_idx": [4, 1, 2], "item_id": ["c2", "c1", "nowhere"]}
    table = pl.DataFrame(events, schema={"user_idx": pl.Int64, "item_id": pl.String})
    table.write_parquet(copy_of / "pairs" / "unknown_events.parquet")
    first = update_plan(plan_of(), _changes(("c1", "c2")), items=items, pairs=copy_of / "pairs")
    assert first.taken.tolist() == [[1, len(items)], [4, len(items) + 1]]
    assert update_plan(first, _changes(("c2",)), items=items, pairs=copy_of / "pairs").taken.tolist() == [[4, len(items)]]
    assert update_plan(first, _changes(), items=items, pairs=copy_of / "pairs").taken is None
    first.write(copy_of / "plan")
    assert read_plan(copy_of / "plan").taken.tolist() == first.taken.tolist()


def test_where_items_were_added_the_towers_have_a_say_since_no_other_source_knows_them(finished, items, plan_of) -> None:
    plan = replace(plan_of(), sources=("item_knn", "popularity"), weights=(1.0, 0.3))
    pairs, nothing, added = finished / "pairs", _changes(), _changes(added=("brand new",))
    assert update_plan(plan, nothing, items=items, pairs=pairs).sources == ("item_knn", "popularity")
    grown = update_plan(plan, added, items=items, pairs=pairs)
    assert grown.sources == ("item_knn", "popularity", "two_tower") and grown.weights == (1.0, 0.3, 0.0)
    named = update_plan(replace(plan, weights=None), added, items=items, pairs=pairs)
    assert named.sources == ("item_knn", "popularity")
