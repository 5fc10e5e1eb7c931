"""Seeds: every random choice of a run hangs from one number and the name of what it is for."""

import hashlib

import numpy as np


def seed_for(seed: int, *names: str | int) -> int:
    """A 63-bit seed that depends on the run's seed and on what it is used for, the same on every platform.

    Args:
        seed: The seed of the profile.
        names: What the seed is for, such as `("epoch", 3)`.

    Returns:
        An integer in [0, 2^63).

    >>> seed_for(0, "epoch", 1) == seed_for(0, "epoch", 1)
    True
    >>> seed_for(0, "epoch", 1) == seed_for(0, "epoch", 2)
    False
    """
    text = "/".join(str(part) for part in (seed, *names))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def rng_for(seed: int, *names: str | int) -> np.random.Generator:
    """A numpy generator seeded with `seed_for`."""
    return np.random.default_rng(seed_for(seed, *names))
