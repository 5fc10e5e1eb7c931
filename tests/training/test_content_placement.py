"""Contents find the vectors of items, often taken ones best; the items stay where they are."""

import numpy as np
import pytest
import torch

from recsys.models.text_tower import TextTower
from recsys.training.content_placement import place_contents

pytestmark = pytest.mark.slow

CPU = torch.device("cpu")


def _tower():
    torch.manual_seed(0)
    return TextTower(8, 8, dropout=0.0)


@pytest.fixture
def world(unit_vectors):
    """200 items whose texts are a rotation of their vectors; item 0 has none."""
    items = unit_vectors(200, 8)
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(8, 8)))[0].astype(np.float32)
    texts = items @ turn
    texts[0] = 0
    return items, texts, np.ones(200, np.int64)


def _cosines(tower, items, texts):
    with torch.inference_mode():
        return (tower(torch.from_numpy(texts)).numpy() * items).sum(1)


def test_held_out_items_come_to_their_vectors(world):
    items, texts, counts = world
    tower, before = _tower(), items.copy()
    assert place_contents(tower, items, texts, counts, seed=0, device=CPU) > 0.95
    assert _cosines(tower, items, texts)[1:].mean() > 0.95
    assert np.array_equal(items, before) and not tower.training


def test_of_two_items_with_one_text_the_one_taken_more_often_decides(world):
    items, texts, counts = world
    texts[2], counts[1] = texts[1], 500
    tower = _tower()
    place_contents(tower, items, texts, counts, seed=0, device=CPU)
    found = _cosines(tower, items, texts)
    assert found[1] > 0.9 > found[2]


def test_the_seed_fixes_the_tower_and_no_texts_leave_it(world):
    items, texts, counts = world
    towers = [_tower() for _ in range(3)]
    for tower, seed in zip(towers, (1, 1, 2), strict=True):
        place_contents(tower, items, texts, counts, seed=seed, device=CPU)
    assert torch.equal(towers[0].out.weight, towers[1].out.weight)
    assert not torch.equal(towers[0].out.weight, towers[2].out.weight)
    untouched = _tower()
    assert place_contents(untouched, items, np.zeros_like(texts), counts, seed=0, device=CPU) is None
    assert torch.equal(untouched.out.weight, _tower().out.weight)
