"""The learning rate over a training run."""

import math

from recsys.training.settings import LoopSettings


def learning_rate(settings: LoopSettings, *, steps_done: int, n_steps: int) -> float:
    """Linear warm-up, then half a cosine from the full rate to `final_rate` of it over all epochs.

    A run too short for its warm-up warms up over its first tenth.

    Args:
        settings: The full rate, its end, the warm-up and the number of epochs.
        steps_done: Steps before this one.
        n_steps: Of an epoch.

    Source: Loshchilov & Hutter, "SGDR", arXiv:1608.03983, eq. 5, without restarts.
    """
    total = n_steps * settings.n_epochs
    warm = min(1.0, (steps_done + 1) / max(min(settings.warmup_steps, total // 10), 1))
    cosine = 0.5 * (1 + math.cos(math.pi * steps_done / total))
    return settings.learning_rate * warm * (settings.final_rate + (1 - settings.final_rate) * cosine)
