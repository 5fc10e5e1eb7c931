"""Attributes as tensors for the towers, from arrays or from the folder of the stage `pairs`."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from recsys.core.files import read_array, read_json
from recsys.models.item_tower import Features


def features_of(
    categories: NDArray[np.integer[Any]],
    numbers: NDArray[np.floating[Any]],
    text: NDArray[np.floating[Any]] | None,
    *,
    n_categories: int,
) -> Features:
    """Attributes of the rows of a vocabulary.

    Args:
        categories: Shape (R, A), positions from 1, 0 is none.
        numbers: Shape (R, F).
        text: Shape (R, T); None is no text.
        n_categories: How many categories there are, without the 0.
    """
    shown = np.zeros((len(categories), 0), np.float32) if text is None else text
    return Features(
        categories=torch.from_numpy(np.array(categories)).long(),
        numbers=torch.from_numpy(np.array(numbers)),
        text=torch.from_numpy(np.array(shown)),
        n_categories=n_categories,
    )


def read_item_features(pairs: Path) -> Features:
    """Item attributes and text from the folder of the stage `pairs`."""
    return _read(pairs, "item", read_array(pairs / "item_text.npy"))


def read_user_features(pairs: Path) -> Features:
    """User attributes from the folder of the stage `pairs`."""
    return _read(pairs, "user", None)


def _read(pairs: Path, side: str, text: NDArray[np.floating[Any]] | None) -> Features:
    return features_of(
        read_array(pairs / f"{side}_categories.npy"),
        read_array(pairs / f"{side}_numbers.npy"),
        text,
        n_categories=len(read_json(pairs / f"{side}_attributes.json")["categories"]),
    )
