"""The trained towers of a run, with the features and times they read."""

from pathlib import Path

from recsys.core.files import read_json
from recsys.models.checkpoint import load_weights, read_tensors
from recsys.models.features import read_item_features, read_user_features
from recsys.models.two_tower import TwoTower, read_spec


def open_towers(*, pairs: Path, train: Path) -> TwoTower:
    """Build the model of `spec.json` and load its weights, on the CPU.

    Args:
        pairs: Folder of the stage `pairs`.
        train: Folder of the stage `train`.
    """
    spec = read_spec(read_json(train / "spec.json"))
    model = TwoTower(spec, item_features=read_item_features(pairs), user_features=read_user_features(pairs))
    load_weights(model, read_tensors(train / "model.safetensors"))
    return model
