"""A trainer on the small world, in float32 on the CPU."""

from dataclasses import replace

import pytest
import torch

from recsys.training.loop import Trainer


@pytest.fixture(scope="session")
def cpu():
    return {"device": torch.device("cpu"), "dtype": torch.float32}


@pytest.fixture(scope="session")
def build_trainer(world, build_towers, training_settings, cpu):
    """Build a trainer; `settings` and `spec` change the plain ones, `initial` seeds the weights.

    Without validation, the validation events are train. If `asked`, it is known when each user is asked about.
    """

    def build(*, settings=None, spec=None, initial=0, validation=True, asked=False, **changes):
        histories = world.histories if validation else replace(world.histories, train_end=world.histories.offsets[1:])
        if asked:
            histories = replace(histories, validation_time=histories.timestamp[histories.train_end])
        model = build_towers(n_items=len(world.items), n_users=len(world.users), seed=initial, **(spec or {}))
        return Trainer(
            model,
            histories,
            log_popularity=world.log_popularity,
            settings=training_settings(**(settings or {})),
            **cpu,
            **changes,
        )

    return build
