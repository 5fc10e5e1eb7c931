import numpy as np
import pytest
import torch

from recsys.training.content_placement import place_contents
from recsys.training.text_alignment import align_texts
from recsys.training.text_towers import fit_text_towers

CPU = torch.device("cpu")


@pytest.mark.slow
def test_both_towers_learn_as_they_do_on_their_own_and_the_items_stay(build_towers, unit_vectors):
    items, texts = unit_vectors(40, 16), np.stack([unit_vectors(40, 8, seed=seed) for seed in (1, 2)], axis=1)
    counts = np.arange(1, 41)
    together, alone = (build_towers(n_items=40, search_dim=8) for _ in range(2))
    alone.load_state_dict(together.state_dict())
    before = together.item_tower.ids.weight.clone()
    aligned, cosine = fit_text_towers(together, items, texts, counts, seed=3, device=CPU, holds_out=True)
    assert aligned == align_texts(alone.text_tower, items, texts, seed=3, device=CPU, holds_out=True)
    whole = np.ascontiguousarray(texts[:, 0])
    assert cosine == place_contents(alone.content_tower, items, whole, counts, seed=3, device=CPU)
    for name, own in together.state_dict().items():
        assert torch.equal(own, alone.state_dict()[name]), name
    assert torch.equal(together.item_tower.ids.weight, before)


def test_without_texts_there_is_nothing_to_learn(build_towers, unit_vectors):
    model = build_towers(n_items=4)
    none = np.zeros((4, 1, 0), np.float32)
    assert fit_text_towers(model, unit_vectors(4, 16), none, np.ones(4), seed=0, device=CPU, holds_out=True) == (None, None)
