"""Unit vectors for benchmarks of search, as trained towers give them: clustered, of 64 dimensions."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recsys.core.files import write_array

DIM = 64
_TOPICS = 200
_SPREAD = 0.9
_NOISE = 0.03


def draw_vectors(n: int, *, seed: int, dim: int = DIM) -> NDArray[np.float32]:
    """Draw vectors around the same 200 topics, shape (n, dim)."""
    topics = np.random.default_rng(0).normal(size=(_TOPICS, dim)).astype(np.float32)
    rng = np.random.default_rng(seed)
    vectors = topics[rng.integers(0, _TOPICS, n)] + _SPREAD * rng.standard_normal((n, dim), np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def draw_between(trained: NDArray[np.float32], n: int, *, seed: int) -> NDArray[np.float32]:
    """Draw as many vectors as are asked for from a trained model's: each lies between two of them, with a little noise.

    Args:
        trained: Shape (I, D), unit vectors.
        n: How many.
        seed: Of the draw.
    """
    rng = np.random.default_rng(seed)
    first, second = (trained[rng.integers(0, len(trained), n)] for _ in range(2))
    share = rng.random((n, 1)) / 2
    vectors = (1 - share) * first + share * second + _NOISE * rng.standard_normal(first.shape)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def write_world(folder: Path, *, n_users: int, n_items: int, n_seen: int) -> None:
    """Write `embed/` and `pairs/` of a run: vectors, and histories of n_seen different items of each user."""
    write_array(folder / "embed" / "items.npy", draw_vectors(n_items, seed=1))
    write_array(folder / "embed" / "users.npy", draw_vectors(n_users, seed=2))
    rng = np.random.default_rng(3)
    first = rng.integers(0, n_items, n_users)[:, None]
    seen = (first + np.arange(n_seen)[None, :] * 7919) % n_items
    write_array(folder / "pairs" / "item_idx.npy", np.sort(seen, axis=1).astype(np.int32).flatten())
    write_array(folder / "pairs" / "offsets.npy", np.arange(0, n_users * n_seen + 1, n_seen))
