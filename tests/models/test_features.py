import numpy as np
import pytest
import torch

from recsys.core.errors import ArtefactError
from recsys.core.files import write_array, write_json
from recsys.models.features import read_item_features, read_user_features


@pytest.fixture
def pairs(tmp_path):
    """A folder as the stage pairs leaves it: 3 items, 2 users."""
    write_array(tmp_path / "item_categories.npy", np.array([[1, 2], [3, 0], [0, 0]], np.int32))
    write_array(tmp_path / "item_numbers.npy", np.array([[0.5], [-0.5], [0]], np.float32))
    write_array(tmp_path / "item_text.npy", np.arange(12, dtype=np.float32).reshape(3, 4))
    write_json(tmp_path / "item_attributes.json", {"categories": ["a", "b", "c"], "numbers": ["year"]})
    write_array(tmp_path / "user_categories.npy", np.array([[1], [2]], np.int32))
    write_array(tmp_path / "user_numbers.npy", np.zeros((2, 0), np.float32))
    write_json(tmp_path / "user_attributes.json", {"categories": ["x", "y"], "numbers": []})
    return tmp_path


def test_item_features_are_the_arrays_of_pairs(pairs):
    features = read_item_features(pairs)
    assert features.categories.tolist() == [[1, 2], [3, 0], [0, 0]]
    assert features.categories.dtype == torch.int64
    assert features.numbers.flatten().tolist() == [0.5, -0.5, 0]
    assert features.text.shape == (3, 4)
    assert features.n_categories == 3


def test_user_features_have_no_text(pairs):
    features = read_user_features(pairs)
    assert features.text.shape == (2, 0)
    assert features.n_categories == 2


def test_changing_the_tensors_leaves_the_files_alone(pairs):
    read_item_features(pairs).numbers.fill_(9)
    assert read_item_features(pairs).numbers[0].item() == 0.5


def test_a_missing_array_says_which_stage_to_run(pairs):
    (pairs / "item_text.npy").unlink()
    with pytest.raises(ArtefactError, match="run the stage"):
        read_item_features(pairs)
