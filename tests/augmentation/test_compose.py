"""Views come from the operators named, are reproducible, and show nothing that train does not have."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.augmentation.compose import OPERATORS, AugmentationSettings, Augmenter, build_augmenter
from recsys.augmentation.sequences import MASKED, read_sequences
from recsys.augmentation.similar_items import SimilarItems, fit_similar_items
from recsys.core.errors import ConfigError
from recsys.sampling.batches import request_batches
from tests.augmentation.histories import HISTORIES, SIMILAR, as_lists, check_view, make_sequences

SHARES = AugmentationSettings()


def _augmenter(names=OPERATORS, *, most=9, similar=SIMILAR):
    return Augmenter(AugmentationSettings(operators=names), similar=similar, most=most)


@settings(deadline=None, max_examples=60)
@given(HISTORIES, st.integers(0, 999), st.booleans())
def test_views_keep_to_the_rules_and_the_same_seed_gives_the_same_view(lists, seed, with_time):
    original = make_sequences(lists, width=9, with_time=with_time)
    first, second = (_augmenter().two_views(original, generator=torch.Generator().manual_seed(seed)) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        check_view(one, original)
        assert one.item_idx.shape[1] <= 9 and torch.equal(one.length, other.length)
        assert torch.equal(one.item_idx, other.item_idx)
        assert with_time is False or torch.equal(one.time, other.time)


def test_both_views_differ_and_so_do_other_seeds():
    original = make_sequences([list(range(1, 10))] * 20)
    views = [view for seed in (0, 1) for view in _augmenter().two_views(original, generator=_seeded(seed))]
    assert len({str(as_lists(view)) for view in views}) == 4


@pytest.mark.parametrize("name", OPERATORS)
def test_one_operator_alone_does_its_own_work(name):
    original = make_sequences([[1, 2, 3, 4, 5, 6]] * 30)
    (items, times), (_, old_times) = (
        as_lists(_augmenter((name,), most=20).view(original, generator=_seeded(0))),
        as_lists(original),
    )
    sizes = {len(row) for row in items}
    assert sizes == {{"crop": 3, "insert": 7}.get(name, 6)}
    assert (times == old_times) == (name in ("mask", "reorder", "substitute"))
    assert any(MASKED in row for row in items) == (name == "mask")
    assert all(sorted(row) == [1, 2, 3, 4, 5, 6] for row in items) == (name == "reorder")


def test_the_operator_is_drawn_for_each_row():
    original = make_sequences([[1, 2, 3, 4, 5, 6]] * 300)
    items, _ = as_lists(_augmenter(("mask", "crop")).view(original, generator=_seeded(0)))
    n_masked = sum(MASKED in row for row in items)
    assert 100 < n_masked < 200 and n_masked + sum(len(row) == 3 for row in items) == 300


def test_held_out_items_never_appear_in_a_view(world):
    histories = world.histories
    n_items = len(world.items)
    is_train = np.zeros(len(histories.item_idx), bool)
    for begin, end in zip(histories.offsets[:-1], histories.train_end, strict=True):
        is_train[begin:end] = True
    # Every held-out event gets an item that train does not have.
    changed = np.where(is_train, histories.item_idx, n_items)
    histories = type(histories)(**{name: getattr(histories, name) for name in histories.__slots__} | {"item_idx": changed})
    neighbours = fit_similar_items(histories, n_items=n_items + 1, n_neighbours=5, window=5)
    assert (neighbours[n_items] == -1).all() and (neighbours < n_items).all()
    augmenter = _augmenter(similar=SimilarItems(torch.from_numpy(neighbours)), most=20)
    batches = request_batches(
        histories, np.arange(histories.n_users), history_length=20, batch_tokens=512, use_time=True, held_out="validation"
    )
    for _, batch in batches:
        for view in augmenter.two_views(read_sequences(batch), generator=_seeded(3)):
            assert int(view.length.max()) <= 20
            assert set(view.item_idx[view.inside].tolist()) <= {MASKED, *changed[is_train].tolist()}


@pytest.mark.parametrize("name", ["substitute", "insert"])
def test_operators_that_need_similar_items_say_so(name):
    with pytest.raises(ConfigError, match=f"{name} must have similar items"):
        _augmenter(("crop", name), similar=None)


def _seeded(seed):
    return torch.Generator().manual_seed(seed)


def _built(world, **settings):
    return build_augmenter(AugmentationSettings(**settings), world.histories, n_items=len(world.items), most=12)


def _ten_events():
    return make_sequences([list(range(1, 11))] * 40)


def test_operators_are_as_strong_as_asked(world):
    augmenter = _built(world, operators=("crop",), crop_share=0.3)
    assert augmenter.view(_ten_events(), generator=_seeded(0)).length.unique().tolist() == [3]


def test_similar_items_are_those_of_the_train_histories(world):
    view = _built(world, operators=("insert",), insert_share=0.9).view(_ten_events(), generator=_seeded(0))
    assert view.length.unique().tolist() == [12], "no longer than the longest history"


def test_without_operators_that_need_them_similar_items_are_not_fitted(world, monkeypatch):
    monkeypatch.setattr("recsys.augmentation.compose.fit_similar_items", lambda *_, **__: pytest.fail("fitted"))
    assert _built(world, operators=("crop", "mask", "reorder")).names == ("crop", "mask", "reorder")
