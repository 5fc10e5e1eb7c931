"""Texts find the items that they were aligned with, and held-out ones too; the items stay where they are."""

import numpy as np
import pytest
import torch

from recsys.models.text_tower import TextTower
from recsys.training.text_alignment import align_texts, draw_columns, label_texts

pytestmark = pytest.mark.slow

CPU = torch.device("cpu")


@pytest.fixture
def world(unit_vectors):
    """200 items whose texts are a rotation of their vectors; item 0 has none, and the second column is rare."""
    items = unit_vectors(200, 8)
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(8, 8)))[0].astype(np.float32)
    texts = np.stack([items @ turn, np.zeros_like(items)], axis=1)
    texts[0] = 0
    texts[5:9, 1] = texts[5:9, 0]
    return items, texts


def _tower():
    torch.manual_seed(0)
    return TextTower(8, 8, dropout=0.0)


def test_texts_of_held_out_items_find_them(world):
    items, texts = world
    before = items.copy()
    tower, steps = _tower(), []
    aligned = align_texts(tower, items, texts, seed=0, device=CPU, on_step=lambda done, total: steps.append((done, total)))
    assert aligned.n_items == 199
    assert aligned.recall[10][0] > 0.9 and aligned.recall[100][0] == 1.0
    assert np.array_equal(items, before)
    assert steps[-1][0] == steps[-1][1] == len(steps)
    with torch.inference_mode():
        found = (tower(torch.from_numpy(texts[1:, 0])) @ torch.from_numpy(items[1:]).t()).argmax(1)
    assert (found == torch.arange(199)).float().mean() > 0.9
    assert not tower.training


def test_the_seed_fixes_the_tower(world):
    towers = [_tower() for _ in range(3)]
    for tower, seed in zip(towers, (1, 1, 2), strict=True):
        align_texts(tower, *world, seed=seed, device=CPU)
    first, again, other = (tower.out.weight for tower in towers)
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_items_without_any_text_leave_the_tower_as_it_is(world):
    items, texts = world
    tower = _tower()
    before = tower.out.weight.detach().clone()
    aligned = align_texts(tower, items, np.zeros_like(texts), seed=0, device=CPU)
    assert (aligned.n_items, aligned.recall) == (0, {})
    assert torch.equal(tower.out.weight, before)


def test_columns_are_all_text_half_of_the_time_and_never_empty_ones(world):
    _, texts = world
    rows = np.repeat(np.array([5, 20]), 2_000)
    column = draw_columns(texts, rows, rng=np.random.default_rng(0))
    assert 0.2 < column[:2_000].mean() < 0.3, "the second column is drawn a quarter of the time"
    assert not column[2_000:].any()


def test_labels_are_equal_where_texts_are(world):
    _, texts = world
    labels = label_texts(np.concatenate([texts[[0, 6, 7], 0], texts[[0, 30, 6], 1]]))
    assert labels[0] == labels[3] == labels[4]
    assert labels[1] == labels[5] != labels[2]
