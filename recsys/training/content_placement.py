"""The content tower learns where items lie from all that is written about them, for items that nobody has taken yet."""

import numpy as np
import torch
from numpy.typing import NDArray

from recsys.core.random import rng_for
from recsys.models.text_tower import TextTower
from recsys.training.text_alignment import fit_tower, hold_out_texts

_BATCH, _EPOCHS, _FEWEST_STEPS, _MOST_STEPS = 512, 45, 300, 3_000


def place_contents(
    tower: TextTower,
    items: NDArray[np.float32],
    texts: NDArray[np.float32],
    counts: NDArray[np.integer],
    *,
    seed: int,
    device: torch.device,
) -> float | None:
    """Train the content tower on locked item vectors by cosine alone, an item as often as it was taken.

    Unlike contrast, which forgets what all items have in common, this keeps how near they are to users at all; and vectors of
    items that were taken often are known best.

    Args:
        tower: Its weights are changed.
        items: Shape (I, D) unit vectors.
        texts: Shape (I, T), all text of an item; rows of zeros are no text.
        counts: Shape (I,), train events.
        seed: Of everything random.
        device: Where to train.

    Returns:
        Mean cosine of held-out items, a tenth, and their vectors when a tower is trained on the others; None if there are
        too few.

    Source: learning the map from content to trained vectors: van den Oord et al., "Deep content-based music recommendation",
    NeurIPS 2013, section 4, here with the cosine.
    """
    known, held_out = hold_out_texts(texts, seed=seed)
    first = {name: tensor.clone() for name, tensor in tower.state_dict().items()}
    cosine = None
    if len(held_out):
        _train(tower, items, texts, counts, np.setdiff1d(known, held_out), seed=seed, device=device)
        with torch.inference_mode():
            placed = tower(torch.from_numpy(texts[held_out]).to(device)).cpu().numpy()
        cosine = float((placed * items[held_out]).sum(1).mean())
        tower.load_state_dict(first)
    if len(known):
        _train(tower, items, texts, counts, known, seed=seed, device=device)
    return cosine


def _train(
    tower: TextTower,
    items: NDArray[np.float32],
    texts: NDArray[np.float32],
    counts: NDArray[np.integer],
    chosen: NDArray[np.int64],
    *,
    seed: int,
    device: torch.device,
) -> None:
    rng = rng_for(seed, "contents", len(chosen))
    chance = np.maximum(counts[chosen], 1) / np.maximum(counts[chosen], 1).sum()

    def loss() -> torch.Tensor:
        rows = chosen[rng.choice(len(chosen), _BATCH, p=chance)]
        placed = tower(torch.from_numpy(texts[rows]).to(device))  # (B, D)
        distance: torch.Tensor = 1 - (placed * torch.from_numpy(items[rows]).to(device)).sum(1).mean()
        return distance

    n_steps = min(_MOST_STEPS, max(_FEWEST_STEPS, _EPOCHS * len(chosen) // _BATCH))
    fit_tower(tower, loss, n_steps=n_steps, seed=seed)
