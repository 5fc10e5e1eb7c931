"""The arrays of `pairs` as tensors for the towers."""

from pathlib import Path

import torch

from recsys.core.files import read_array, read_json
from recsys.models.item_tower import Features


def read_item_features(pairs: Path) -> Features:
    """Item attributes and text from the folder of the stage `pairs`."""
    return _read(pairs, "item", torch.from_numpy(read_array(pairs / "item_text.npy").copy()))


def read_user_features(pairs: Path) -> Features:
    """User attributes from the folder of the stage `pairs`."""
    n_users = len(read_array(pairs / "user_categories.npy"))
    return _read(pairs, "user", torch.zeros((n_users, 0)))


def _read(pairs: Path, side: str, text: torch.Tensor) -> Features:
    return Features(
        categories=torch.from_numpy(read_array(pairs / f"{side}_categories.npy").copy()).long(),
        numbers=torch.from_numpy(read_array(pairs / f"{side}_numbers.npy").copy()),
        text=text,
        n_categories=len(read_json(pairs / f"{side}_attributes.json")["categories"]),
    )
