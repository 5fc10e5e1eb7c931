"""The learning rate over a training run."""

import math

from recsys.training.settings import TrainingSettings


def learning_rate(settings: TrainingSettings, *, steps_done: int, epochs_done: float) -> float:
    """Linear warm-up, then half a cosine from the full rate to `final_rate` of it over all epochs.

    Args:
        settings: The full rate, its end, the warm-up and the number of epochs.
        steps_done: Steps before this one.
        epochs_done: The same in epochs, with fractions.

    Source: Loshchilov & Hutter, "SGDR", arXiv:1608.03983, eq. 5, without restarts.
    """
    warm = min(1.0, (steps_done + 1) / max(settings.warmup_steps, 1))
    cosine = 0.5 * (1 + math.cos(math.pi * epochs_done / settings.n_epochs))
    return settings.learning_rate * warm * (settings.final_rate + (1 - settings.final_rate) * cosine)
