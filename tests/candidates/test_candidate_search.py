from dataclasses import replace

import numpy as np
import pytest

from recsys.candidates.candidate_search import CandidateSearch, SearchPlan, open_search, read_plan
from recsys.candidates.caps import Caps
from recsys.candidates.seen import SeenByUser
from recsys.candidates.sources.in_order import OrderedSource
from recsys.candidates.sources.two_tower import TwoTowerSource
from recsys.core.files import write_array
from recsys.index.exact import ExactIndex
from recsys.index.published import build_index

_HISTORIES = [[0, 1, 2], [3], [4, 5]]
_OFFSETS = np.array([0, 3, 4, 6])


@pytest.fixture
def vectors(unit_vectors):
    return unit_vectors(60, 8), unit_vectors(3, 8, seed=1)


@pytest.fixture
def search_of(vectors):
    items, users = vectors

    def build(plan):
        index = ExactIndex(items)
        sources = [
            TwoTowerSource(index=index, users=users) if name == "two_tower" else OrderedSource(order=plan.orders[name])
            for name in plan.sources
        ]
        item_idx = np.concatenate(_HISTORIES)
        seen = SeenByUser(item_idx=item_idx, offsets=_OFFSETS)
        return CandidateSearch(plan, sources, seen=seen, n_items=60, index=index)

    return build


@pytest.fixture
def folders_with(tmp_path, vectors):
    """Write the folders of a run with an index of some kind."""
    items, users = vectors

    def write(backend):
        write_array(tmp_path / "embed" / "items.npy", items)
        write_array(tmp_path / "embed" / "users.npy", users)
        write_array(tmp_path / "pairs" / "item_idx.npy", np.concatenate(_HISTORIES).astype(np.int32))
        write_array(tmp_path / "pairs" / "offsets.npy", _OFFSETS)
        numbers = {"k": 10, "target_recall": 1.0, "n_queries": 3, "seed": 0}
        build_index(tmp_path / "index", tmp_path / "embed" / "items.npy", users, backend=backend, **numbers)
        return {name: tmp_path / name for name in ("pairs", "embed", "index")}

    return write


@pytest.fixture
def full_plan():
    rng = np.random.default_rng(0)
    return SearchPlan(
        sources=("two_tower", "fresh"),
        quotas=(0, 2),
        orders={"fresh": rng.permutation(60).astype(np.int32)},
        allowed=rng.random(60) < 0.7,
        caps=Caps(categories=rng.integers(-1, 4, (60, 1)).astype(np.int32), limits=np.array([2, 2, 2, 2])),
        has_rules=True,
    )


def test_with_one_source_the_answer_is_its_own(vectors, search_of):
    items, users = vectors
    search = search_of(SearchPlan())
    found = search.answer(np.array([2, 0]), k=7)
    expected = ExactIndex(items).search(users[[2, 0]], k=7, seen=search.seen.of(np.array([2, 0])))
    assert found.lists.item_idx.tolist() == expected.item_idx.tolist()
    assert not set(found.lists.item_idx[1].tolist()) & {0, 1, 2}


def test_the_filter_of_a_request_holds_beside_that_of_the_plan(search_of):
    plan = SearchPlan(allowed=np.arange(60) < 40)
    found = search_of(plan).answer(np.arange(3), k=30, allowed=np.arange(60) % 2 == 0)
    listed = found.lists.item_idx[found.lists.item_idx >= 0]
    assert set(listed.tolist()) <= set(range(0, 40, 2))
    assert (found.lists.item_idx >= 0).sum(1).tolist() == [18, 20, 19]


def test_all_rules_hold_at_once(search_of, full_plan):
    found = search_of(full_plan).answer(np.arange(3), k=12)
    for user, items in enumerate(found.lists.item_idx.tolist()):
        kept = [item for item in items if item >= 0]
        assert len(set(kept)) == len(kept)
        assert not set(kept) & set(_HISTORIES[user])
        assert full_plan.allowed[kept].all()
        of = full_plan.caps.categories[kept, 0]
        assert np.bincount(of[of >= 0], minlength=4).max() <= 2
        assert set(found.source[user].tolist()) <= {0, 1, -1}


def test_a_plan_is_read_back_as_it_was_written(tmp_path, full_plan):
    for plan in (full_plan, SearchPlan()):
        plan.write(tmp_path / "search")
        again = read_plan(tmp_path / "search")
        assert (again.sources, again.quotas) == (plan.sources, plan.quotas)
        assert (again.allowed is None) == (plan.allowed is None)
        assert (again.caps is None) == (plan.caps is None)
    full_plan.write(tmp_path / "full")
    again = read_plan(tmp_path / "full")
    np.testing.assert_array_equal(again.orders["fresh"], full_plan.orders["fresh"])
    np.testing.assert_array_equal(again.allowed, full_plan.allowed)
    np.testing.assert_array_equal(again.caps.categories, full_plan.caps.categories)
    np.testing.assert_array_equal(again.caps.limits, full_plan.caps.limits)


def test_folders_open_to_the_same_answers_whatever_the_index(tmp_path, folders_with, search_of, full_plan):
    folders = folders_with("annoy")
    full_plan.write(tmp_path / "search")
    expected = search_of(full_plan).answer(np.arange(3), k=12)
    for is_exact in (True, False):
        found = open_search(plan=tmp_path / "search", is_exact=is_exact, **folders).answer(np.arange(3), k=12)
        assert found.lists.item_idx.tolist() == expected.lists.item_idx.tolist()
        assert found.source.tolist() == expected.source.tolist()


def test_added_items_are_answered_like_all_others(tmp_path, vectors, folders_with, unit_vectors):
    items, users = vectors
    added = unit_vectors(5, 8, seed=9)
    folders = folders_with("exact")
    plan = SearchPlan(added=added, added_ids=tuple("vwxyz"), allowed=np.arange(65) != 61)
    plan.write(tmp_path / "search")
    assert read_plan(tmp_path / "search").added_ids == tuple("vwxyz")
    whole = ExactIndex(np.concatenate([items, added]))
    for asked in (plan, tmp_path / "search"):
        for is_exact in (True, False):
            search = open_search(plan=asked, is_exact=is_exact, **folders)
            found = search.answer(np.arange(3), k=64)
            seen = search.seen.of(np.arange(3))
            expected = whole.search(users, k=64, seen=seen, allowed=plan.allowed)
            assert found.lists.item_idx.tolist() == expected.item_idx.tolist()
            assert search.n_items == 65


@pytest.mark.parametrize("has_caps", [False, True])
def test_a_short_list_is_the_head_of_the_batchs_list(search_of, full_plan, has_caps):
    quotas = (0, 0) if has_caps else (0, 6)
    plan = replace(full_plan, k=12, quotas=quotas, caps=full_plan.caps if has_caps else None)
    search = search_of(plan)
    batch, short = search.answer(np.arange(3), k=12), search.answer(np.arange(3), k=4)
    assert short.lists.item_idx.tolist() == batch.lists.item_idx[:, :4].tolist()
    assert short.source.tolist() == batch.source[:, :4].tolist()
    assert short.lists.item_idx.shape == (3, 4)


def test_of_added_items_the_towers_speak_for_all_sources_and_of_others_by_their_own_weight(vectors, search_of):
    items, _ = vectors
    order = np.arange(59, -1, -1).astype(np.int32)
    plan = SearchPlan(
        sources=("fresh", "two_tower"), weights=(2.0, 0.0), orders={"fresh": order}, added=items[50:], added_ids=("x",) * 10
    )
    found = search_of(plan).answer(np.array([0, 1, 2]), k=60).lists.item_idx
    alone = search_of(SearchPlan()).answer(np.array([0, 1, 2]), k=60).lists.item_idx
    for row in range(3):
        best = next(item for item in alone[row] if item >= 50)
        known = [item for item in found[row].tolist() if 0 <= item < 50]
        assert known == sorted(known, reverse=True)
        assert best in found[row].tolist()[:20]
