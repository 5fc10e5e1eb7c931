import pytest
import torch

from recsys.core.errors import ArtefactError
from recsys.models.text_tower import TextTower


def test_texts_become_unit_vectors_and_dropout_is_for_training_alone(unit_vectors):
    torch.manual_seed(0)
    tower, texts = TextTower(12, 8), torch.from_numpy(unit_vectors(20, 12))
    assert not torch.equal(tower(texts), tower(texts))
    tower.eval()
    assert torch.equal(tower(texts), tower(texts))
    torch.testing.assert_close(tower(texts).norm(dim=1), torch.ones(20))


def test_the_temperature_is_clamped():
    tower = TextTower(4, 4)
    assert tower.scale.item() == pytest.approx(1 / 0.07)
    with torch.no_grad():
        tower.log_scale.fill_(9.0)
    assert tower.scale.item() == pytest.approx(100)


def test_a_text_tower_leaves_the_first_weights_of_the_others_as_they_are(build_towers):
    with_text, without = build_towers(n_items=5, search_dim=6), build_towers(n_items=5)
    own = with_text.state_dict()
    assert all(torch.equal(tensor, own[name]) for name, tensor in without.state_dict().items())
    assert {name.split(".")[0] for name in set(own) - set(without.state_dict())} == {"text_tower", "content_tower"}


def test_without_a_text_tower_there_is_no_search(build_towers):
    with pytest.raises(ArtefactError, match="texts of items must have been read"):
        build_towers(n_items=5).encode_text(torch.ones(1, 3))
    with pytest.raises(ArtefactError, match="texts of items must have been read"):
        build_towers(n_items=5).encode_content(torch.ones(1, 3))
