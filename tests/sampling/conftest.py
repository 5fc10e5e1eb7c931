import numpy as np

from recsys.sampling.batches import Histories

FIELDS = ("user_idx", "item_idx", "gap", "request_gap", "target_idx", "length")


def histories_of(sizes: list[tuple[int, int]], *, seed: int = 0) -> Histories:
    """Users with so many train and validation events; every event has an item of its own."""
    rng = np.random.default_rng(seed)
    totals = [train + later for train, later in sizes]
    offsets = np.concatenate([[0], np.cumsum(totals)]).astype(np.int64)
    times = [1_000 + np.cumsum(rng.integers(0, 50, total)) for total in totals]
    last = np.array([own[-1] for own in times])
    return Histories(
        item_idx=(np.arange(offsets[-1]) + 5).astype(np.int32),
        timestamp=np.concatenate(times).astype(np.int64),
        offsets=offsets,
        train_end=offsets[:-1] + np.array([train for train, _ in sizes]),
        validation_time=np.where(np.arange(len(sizes)) % 3 == 0, -1, last + 3),
        request_time=np.where(np.arange(len(sizes)) % 3 == 1, -1, last + 11),
    )
