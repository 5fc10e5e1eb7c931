import numpy as np
import pytest
import torch

from recsys.core.errors import ConfigError
from recsys.losses.clip import clip_loss
from recsys.objectives.encoded_items import encode_items
from recsys.objectives.term import Part
from recsys.objectives.texts import Texts
from recsys.objectives.workers import Workers


@pytest.fixture
def texts(unit_vectors):
    """30 items, 2 columns of which the second is empty; item 3 has no text, items 4 and 5 the same."""
    texts = np.stack([unit_vectors(30, 6), np.zeros((30, 6), np.float32)], axis=1)
    texts[3] = 0
    texts[5] = texts[4]
    return texts


def _part(model, n_workers=1):
    items = encode_items(model, None, device=torch.device("cpu"))
    return Part(model=model, batch=None, items=items, n_rows=0, n_targets=0, workers=Workers(n_workers=n_workers))


def test_items_with_texts_are_drawn_each_with_its_own(texts):
    drawn = Texts(texts).draw(None, rng=np.random.default_rng(0))
    assert drawn.item_idx.tolist() == [item for item in range(30) if item != 3]
    assert torch.equal(drawn.texts, torch.from_numpy(texts[drawn.item_idx, 0]))
    alike = drawn.label[:, None] == drawn.label[None, :]
    assert alike.sum() == 29 + 2


def test_the_loss_moves_both_towers(texts, build_towers):
    model = build_towers(n_items=30, search_dim=6).eval()
    drawn = Texts(texts).draw(None, rng=np.random.default_rng(0))
    part = _part(model)
    items, loss = part.items, Texts(texts).loss(part, drawn)
    alike = drawn.label[:, None] == drawn.label[None, :]
    wanted = clip_loss(
        items.unit(drawn.item_idx), model.encode_text(drawn.texts), is_ignored=alike, scale=model.text_tower.scale
    )
    assert loss.item() == pytest.approx(wanted.item())
    loss.backward()
    reached = {name.split(".")[0] for name, parameter in model.named_parameters() if parameter.grad is not None}
    assert reached == {"item_tower", "text_tower"}


def test_each_process_has_its_share_of_one_loss(texts, build_towers):
    model = build_towers(n_items=30, search_dim=6).eval()
    drawn = Texts(texts).draw(None, rng=np.random.default_rng(0))
    alone, half = (Texts(texts).loss(_part(model, n), drawn).item() for n in (1, 2))
    assert half == pytest.approx(alone / 2)


def test_what_is_missing_is_told(texts, build_towers):
    with pytest.raises(ConfigError, match="text_weight must be 0 where items have no texts"):
        Texts(np.zeros_like(texts))
    model = build_towers(n_items=30)
    with pytest.raises(ConfigError, match="text_weight must be 0 without a text tower"):
        Texts(texts).loss(_part(model), Texts(texts).draw(None, rng=np.random.default_rng(0)))
