"""Both towers of texts, trained when the items stand still: one to search by words, one to place items nobody has taken."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from recsys.models.two_tower import TwoTower
from recsys.training.content_placement import place_contents
from recsys.training.text_alignment import Alignment, align_texts


def fit_text_towers(
    model: TwoTower,
    items: NDArray[np.float32],
    texts: NDArray[np.float32],
    counts: NDArray[np.integer],
    *,
    seed: int,
    device: torch.device,
    holds_out: bool,
    on_step: Callable[[int, int], None] | None = None,
) -> tuple[Alignment | None, float | None]:
    """Train the text tower and the content tower of a model on where its items lie; the items are not moved.

    Args:
        model: The weights of its text towers are changed, if it has them.
        items: Shape (I, D) unit vectors.
        texts: Shape (I, C, T), all text first, then each column; rows of zeros are no text.
        counts: Shape (I,), train events.
        seed: Of everything random.
        device: Where to train.
        holds_out: Whether the text tower is measured on held-out items first.
        on_step: Called with the steps of the text tower that are done and their total.

    Returns:
        How well texts find their items, and the cosine of held-out items as `place_contents` gives it; None without a tower.
    """
    aligned = cosine = None
    if model.text_tower is not None:
        aligned = align_texts(model.text_tower, items, texts, seed=seed, device=device, holds_out=holds_out, on_step=on_step)
    if model.content_tower is not None:
        whole = np.ascontiguousarray(texts[:, 0])
        cosine = place_contents(model.content_tower, items, whole, counts, seed=seed, device=device)
    return aligned, cosine
